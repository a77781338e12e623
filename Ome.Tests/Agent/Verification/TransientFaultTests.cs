using System.Collections.Immutable;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Verification;

/// <summary>Each failure a look can meet, at each kind of look, once and for ever: what happens once never counts, what is not damage never withdraws.</summary>
[CancelAfter(120_000)]
public sealed class TransientFaultTests
{
    private const string Victim = "model-00001-of-00002.safetensors";

    private CheckedTree _tree = null!;
    private VerificationLedger _ledger = null!;

    [SetUp]
    public async Task MakeTree()
    {
        _tree = new CheckedTree();
        _ledger = await _tree.ProveAsync(CancellationToken.None);
    }

    [TearDown]
    public void RemoveTree() => _tree.Dispose();

    /// <summary>Every look with every fault; a structure look has no digests that garbage could forge.</summary>
    private static IEnumerable<object[]> LooksAndFaults() =>
        from look in new[] { "stat", "read", "structure" }
        from fault in new[] { "EIO", "ESTALE", "EACCES", "ETIMEDOUT", "changed", "missing", "dangling", "garbage" }
        where (look, fault) != ("structure", "garbage")
        select new object[] { look, fault };

    [TestCaseSource(nameof(LooksAndFaults))]
    public async Task Once_is_never_damage(string look, string fault, CancellationToken token)
    {
        _tree.Runner = FaultyProbes.Runner(_tree.Engine, (at, path, _, before) => at == look && path.Value == Victim && before == 0 ? Observation(fault) : null);

        var report = await _tree.CheckAsync(_ledger, CheckScope.Full, token);

        report.Verdict.Result.Should().NotBe(CheckResult.Invalid, string.Join("; ", report.Verdict.Findings));
        var next = await _tree.CheckAsync(_ledger, CheckScope.Full, token);
        next.Verdict.Result.Should().Be(CheckResult.Valid, string.Join("; ", next.Verdict.Findings));
    }

    [TestCase("stat", "EIO", null)]
    [TestCase("read", "EIO", FindingReason.ReadError)]
    [TestCase("read", "ESTALE", FindingReason.SourceUnavailable)]
    [TestCase("read", "EACCES", FindingReason.PermissionDenied)]
    [TestCase("read", "ETIMEDOUT", FindingReason.TimedOut)]
    [TestCase("read", "changed", FindingReason.ChangedDuringCheck)]
    [TestCase("read", "garbage", FindingReason.DigestMismatch)]
    [TestCase("stat", "missing", FindingReason.FileMissing)]
    [TestCase("stat", "dangling", FindingReason.LinkInvalid)]
    [TestCase("stat", "EACCES", FindingReason.PermissionDenied)]
    [TestCase("structure", "EACCES", FindingReason.PermissionDenied)]
    public async Task For_ever_has_its_own_reason(string look, string fault, FindingReason? reason, CancellationToken token)
    {
        _tree.Runner = FaultyProbes.Runner(_tree.Engine, (at, path, _, _) => at == look && path.Value == Victim ? Observation(fault) : null);

        var report = await _tree.CheckAsync(_ledger, CheckScope.Full, token);

        report.Verdict.Reason.Should().Be(reason, string.Join("; ", report.Verdict.Findings));
        (report.Verdict.Result == CheckResult.Invalid).Should().Be(reason?.IsDamage() ?? false);
    }

    [Test]
    public async Task A_root_that_vanishes_during_the_check_accuses_no_file(CancellationToken token)
    {
        _tree.Runner = FaultyProbes.Runner(_tree.Engine, (at, _, _, _) => at == "read" ? new FileObservation.Unreadable(UnreadableCause.RootUnavailable, "ESTALE") : null);

        var report = await _tree.CheckAsync(_ledger, CheckScope.Full, token);

        report.Verdict.Should().BeEquivalentTo(new { Result = CheckResult.Inconclusive, Reason = FindingReason.RootUnavailable });
    }

    [Test]
    public async Task Wrong_bytes_once_are_counted_as_a_flicker(CancellationToken token)
    {
        _tree.Runner = FaultyProbes.Runner(_tree.Engine, (at, path, _, before) => at == "read" && path.Value == Victim && before == 0 ? Observation("garbage") : null);

        (await _tree.CheckAsync(_ledger, CheckScope.Full, token)).Flickers.Should().Be(1);
    }

    private FileObservation Observation(string fault)
    {
        var entry = _ledger.Manifest.Entries.Single(entry => entry.Path.Value == Victim);
        return fault switch
        {
            "EIO" => new FileObservation.Unreadable(UnreadableCause.Medium, fault, 4096),
            "ESTALE" => new FileObservation.Unreadable(UnreadableCause.Transient, fault),
            "EACCES" => new FileObservation.Unreadable(UnreadableCause.Permission, fault),
            "ETIMEDOUT" => new FileObservation.Unreadable(UnreadableCause.TimedOut, fault),
            "changed" => new FileObservation.ChangedMeanwhile(),
            "missing" => new FileObservation.Missing(),
            "dangling" => new FileObservation.BadLink("nowhere", "it dangles"),
            _ => new FileObservation.Present(
                entry.Stamp, null, GivenManifest.Entry("other").Sha256, [],
                entry.Chunks.Select((_, index) => index).ToImmutableSortedDictionary(index => index, index => new UInt128(1, (ulong)index)), ReadRoute.Direct),
        };
    }
}
