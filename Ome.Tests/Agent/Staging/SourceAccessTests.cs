using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Staging;
using Ome.LocalCluster.Fakes;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Staging;

/// <summary>Credentials are found out once for an attempt, and again only when the source refuses them.</summary>
public sealed class SourceAccessTests
{
    [Test, CancelAfter(180_000)]
    public async Task A_download_reads_its_secret_once_and_outlives_an_api_server_that_went_away(CancellationToken cancellationToken)
    {
        var secrets = new CountingSecrets { FailsAfter = 1 };
        await using var bed = await BedAsync(secrets, cancellationToken);
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Cut, HubFaultScope.Body, Times: 6, AfterBytes: 1000));

        (await StageAsync(bed, cancellationToken)).Should().BeOfType<StagingResult.Staged>();

        secrets.Reads.Should().Be(1);
    }

    [TestCase(401)]
    [TestCase(403)]
    [CancelAfter(180_000)]
    public async Task A_refusal_in_the_middle_reads_it_anew(int status, CancellationToken cancellationToken)
    {
        var secrets = new CountingSecrets();
        await using var bed = await BedAsync(secrets, cancellationToken);
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Status, HubFaultScope.Resolve, Status: status));

        (await StageAsync(bed, cancellationToken)).Should().BeOfType<StagingResult.Staged>();

        secrets.Reads.Should().Be(2);
    }

    [Test, CancelAfter(180_000)]
    public async Task A_refusal_while_the_api_server_is_away_waits_for_it(CancellationToken cancellationToken)
    {
        var secrets = new CountingSecrets { FailsAfter = 1, Failures = 2 };
        await using var bed = await BedAsync(secrets, cancellationToken);
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Status, HubFaultScope.Resolve, Status: 401));

        (await StageAsync(bed, cancellationToken)).Should().BeOfType<StagingResult.Staged>();
    }

    [Test, CancelAfter(180_000)]
    public async Task A_refusal_that_lasts_ends_the_attempt(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(new CountingSecrets(), cancellationToken);
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Status, HubFaultScope.Resolve, Times: int.MaxValue, Status: 401));

        (await StageAsync(bed, cancellationToken)).Should().BeOfType<StagingResult.Failed>().Which.Failure.Reason.Should().Be(StagingFailureReason.Unauthorized);
    }

    [Test, CancelAfter(180_000)]
    public async Task Credentials_that_cannot_be_read_at_the_start_are_a_reason_to_come_back(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(new CountingSecrets { FailsAfter = 0 }, cancellationToken);

        var failure = (await StageAsync(bed, cancellationToken)).Should().BeOfType<StagingResult.Failed>().Which.Failure;

        failure.Reason.Should().Be(StagingFailureReason.SourceUnavailable);
        failure.Message.Should().Contain("away");
    }

    private static async Task<StagingBed> BedAsync(ISecretReader secrets, CancellationToken cancellationToken)
    {
        var bed = await StagingBed.StartAsync(services => services.AddSingleton(secrets), cancellationToken);
        using var directory = new TempDirectory();
        ModelTree.Write(directory.Path);
        bed.Hub.Add("org/model", TestFiles.Tree(directory.Path));
        bed.Hub.Repository("org/model").Access = HubAccess.Private;
        return bed;
    }

    private static Task<StagingResult> StageAsync(StagingBed bed, CancellationToken cancellationToken)
    {
        var request = bed.Request("org/model", token: null);
        return bed.Stager.StageAsync(request with { Model = request.Model with { SecretName = "hub-secret" } }, null, cancellationToken);
    }

    /// <summary>One Secret behind an API server that goes away after some reads, for ever or for some.</summary>
    private sealed class CountingSecrets : ISecretReader
    {
        private int _reads;

        public int FailsAfter { get; init; } = int.MaxValue;

        public int Failures { get; init; } = int.MaxValue;

        public int Reads => _reads;

        public Task<Secret?> ReadAsync(string secretNamespace, string name, string key, CancellationToken cancellationToken)
        {
            var read = Interlocked.Increment(ref _reads) - 1;
            return read >= FailsAfter && read - FailsAfter < Failures ? throw new HttpRequestException("the API server is away") : Task.FromResult(Secret.From(StagingBed.Token));
        }
    }
}
