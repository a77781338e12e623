using Ome.Agent.Integrity;
using Ome.Agent.Models;
using Ome.Agent.Verification;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Agent.Integrity;

/// <summary>What a check leaves in the record of its model.</summary>
public sealed class CheckOutcomeTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly Verdict Unreadable = Verdict.Invalid([new FileFinding(null, FindingReason.ReadError)]);

    [Test]
    public void Errors_of_the_medium_speak_against_the_disk_from_the_second_check_in_a_row_on()
    {
        var model = ModelRecord.Begin(new ModelSpec { Key = ModelKey.Cluster("model"), StorageUri = "local:///model" }, "/model", Now) with { Phase = ModelPhase.Ready };
        model.ReadErrors.Should().Be(0);

        model = After(model, Unreadable, ModelPhase.Withdrawn);
        model.ReadErrors.Should().BeLessThan(ModelRecord.PersistentReadErrors, "one check may have met a passing fault");
        model = After(model, Verdict.Inconclusive(FindingReason.TimedOut), ModelPhase.Withdrawn);
        model = After(model, Verdict.Valid, ModelPhase.Withdrawn, ended: false);
        After(model, Unreadable, ModelPhase.Withdrawn).ReadErrors.Should().Be(ModelRecord.PersistentReadErrors, "what did not look at everything ends no row");

        model = After(model, Verdict.Valid, ModelPhase.Ready);
        model.ReadErrors.Should().Be(0);
        After(model, Unreadable, ModelPhase.Withdrawn).ReadErrors.Should().BeLessThan(ModelRecord.PersistentReadErrors);
    }

    private static ModelRecord After(ModelRecord record, Verdict verdict, ModelPhase phase, bool ended = true) => CheckOutcome.Apply(
        record, new CheckReport(verdict, CheckMode.Deep, 1, 1, 0, null, 0, [], null, ended, Now, TimeSpan.Zero), phase, "digest", 1, Now);
}
