using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Repair;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Domain.Repair;

public sealed class RepairPlanTests
{
    private const long Chunk = ArtifactManifest.ChunkSize;

    [Test]
    public void A_chunk_of_a_large_file_is_repaired_alone()
    {
        var plan = Plan("hf://org/model", new FileFinding(Path(0), FindingReason.DigestMismatch, Offset: Chunk));

        plan.Should().BeOfType<RepairPlan.Files>().Which.Repairs.Should().ContainSingle().Which.BadChunks.Should().Equal(1);
    }

    [TestCase(5, true)]
    [TestCase(6, false)]
    public void More_than_five_files_are_a_damaged_model(int files, bool repaired) => (Plan(
        "hf://org/model", [.. Enumerable.Range(0, files).Select(i => new FileFinding(Path(i), FindingReason.DigestMismatch, Offset: 0))]) is RepairPlan.Files).Should().Be(repaired);

    [TestCase(4, true)]
    [TestCase(5, false)]
    public void More_than_a_fifth_of_the_bytes_is_a_damaged_model(int files, bool repaired) => (Plan(
        "hf://org/model", [.. Enumerable.Range(0, files).Select(i => new FileFinding(Path(i), FindingReason.FileMissing))]) is RepairPlan.Files).Should().Be(repaired);

    [TestCase("local:///m")]
    [TestCase("vendor://a/b/c")]
    public void Without_a_source_nothing_can_be_repaired(string uri) =>
        Plan(uri, new FileFinding(Path(0), FindingReason.FileMissing)).Should().BeOfType<RepairPlan.Impossible>();

    [Test]
    public void What_is_not_proved_damage_is_not_repaired() =>
        Plan("hf://org/model", new FileFinding(Path(0), FindingReason.TimedOut)).Should().BeOfType<RepairPlan.Impossible>();

    [Test]
    public void A_finding_about_the_whole_artifact_restages_it() =>
        Plan("hf://org/model", new FileFinding(null, FindingReason.IndexIncomplete)).Should().BeOfType<RepairPlan.Restage>();

    [TestCase(1, 1)]
    [TestCase(2, 2)]
    [TestCase(6, 32)]
    [TestCase(7, 60)]
    [TestCase(1000, 60)]
    public void The_pause_doubles_from_a_minute_to_an_hour(int failures, int minutes) => RepairBackoff.After(failures).Should().Be(TimeSpan.FromMinutes(minutes));

    /// <summary>Twenty files of two chunks each.</summary>
    private static RepairPlan Plan(string uri, params FileFinding[] findings)
    {
        StorageUri.TryParse(uri, out var parsed, out _).Should().BeTrue();
        var entries = Enumerable.Range(0, 20).Select(i => new ManifestEntry(
            Path(i), new FileStamp(2 * Chunk, 1, 1, (ulong)i, 1, 1), null, ContentDigest.Of(DigestAlgorithm.Sha256, new byte[32]), [], [1, 2], []));
        return RepairPlan.Of(parsed!, new ArtifactManifest(new SourceIdentity(uri, "/m/a", null), ManifestTrust.Upstream, default, entries), findings);
    }

    private static ArtifactPath Path(int i) => ArtifactPath.Parse($"file-{i}");
}
