using Ome.Agent.Verification;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Verification;

[CancelAfter(120_000)]
public sealed class VerificationRunnerTests
{
    private const string Shard = "model-00001-of-00002.safetensors";

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

    [TestCase(CheckScope.Presence)]
    [TestCase(CheckScope.Scheduled)]
    [TestCase(CheckScope.Full)]
    public async Task An_intact_model_is_valid(CheckScope scope, CancellationToken token)
    {
        var report = await _tree.CheckAsync(_ledger, scope, token);

        report.Verdict.Result.Should().Be(CheckResult.Valid, string.Join("; ", report.Verdict.Findings));
        report.FilesChecked.Should().Be(7);
        report.FullPassEnded.Should().Be(scope == CheckScope.Full);
        if (scope == CheckScope.Full) report.BytesChecked.Should().Be(_ledger.Manifest.TotalBytes);
    }

    [Test]
    public async Task A_flipped_byte_is_found_with_its_chunk(CancellationToken token)
    {
        _tree.Damage(Shard, 20_000, value => (byte)~value);

        var report = await _tree.CheckAsync(_ledger, CheckScope.Full, token);

        report.Verdict.Result.Should().Be(CheckResult.Invalid);
        var damaged = report.Damaged.Should().ContainSingle().Subject;
        damaged.Finding.Should().BeEquivalentTo(new { Reason = FindingReason.DigestMismatch, Offset = 2 * CheckedTree.Chunk });
        damaged.Finding.Path!.Value.Value.Should().Be(Shard);
        damaged.Finding.Actual.Should().Be("sha256:" + CheckedTree.Sha256Of(_tree.PathOf(Shard)));
        damaged.Chunks.Should().Equal(2);
    }

    [Test]
    public async Task Of_very_many_findings_some_are_kept_and_all_are_told(CancellationToken token)
    {
        const int Gone = 10_500;
        var entries = _ledger.Manifest.Entries.AddRange(Enumerable.Range(0, Gone).Select(i => GivenManifest.Entry($"gone/part-{i:00000}.bin", chunkBytes: CheckedTree.Chunk)));
        var ledger = VerificationLedger.ProvenAt(GivenManifest.Document(entries, CheckedTree.Chunk), TimeProvider.System.GetUtcNow().AddMinutes(-1));
        var told = 0;

        var report = await _tree.Runner.RunAsync(
            new CheckSubject(_tree.Root, null, ledger, 7), new CheckRequest { Policy = _tree.Policy, Scope = CheckScope.Presence, Found = _ => Interlocked.Increment(ref told) }, token);

        report.Verdict.Result.Should().Be(CheckResult.Invalid);
        report.Verdict.Reason.Should().Be(FindingReason.FileMissing);
        report.Verdict.Findings.Should().HaveCount(10_000);
        report.Damaged.Should().HaveCount(10_000);
        told.Should().Be(Gone);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_check_stops_at_damage_only_when_asked(bool stop, CancellationToken token)
    {
        for (var i = 0; i < 60; i++) _tree.Write($"more/part-{i:00}.bin", new byte[3 * CheckedTree.Chunk]);
        _ledger = await _tree.ProveAsync(token);
        File.Delete(_tree.PathOf("config.json"));
        var total = _ledger.Manifest.TotalBytes;
        // Each read takes as long as the absence needs to settle: the verdict is there when a few of the sixty-odd files are read.
        _tree.Runner = FaultyProbes.Runner(_tree.Engine, (look, _, _, _) =>
        {
            if (look == "read") token.WaitHandle.WaitOne(_tree.Policy.SettleDelay);
            return null;
        });

        var report = await _tree.Runner.RunAsync(
            new CheckSubject(_tree.Root, null, _ledger, 7), new CheckRequest { Policy = _tree.Policy, Scope = CheckScope.Full, StopAtDamage = stop }, token);

        report.Verdict.Result.Should().Be(CheckResult.Invalid);
        report.Verdict.Findings.Should().ContainSingle().Which.Reason.Should().Be(FindingReason.FileMissing);
        report.FullPassEnded.Should().Be(!stop);
        if (stop) report.BytesChecked.Should().BeLessThan(total / 2);
        else report.BytesChecked.Should().Be(total - _ledger.Manifest.Entries.Single(entry => entry.Path.Value == "config.json").Size);
    }

    [Test]
    public async Task A_changed_stamp_is_enough_for_a_presence_check_to_read_the_file(CancellationToken token)
    {
        _tree.Damage(Shard, 20_000, value => (byte)~value);

        var report = await _tree.CheckAsync(_ledger, CheckScope.Presence, token);

        report.Verdict.Reason.Should().Be(FindingReason.DigestMismatch);
    }

    [Test]
    public async Task A_touched_file_is_read_once_and_then_proven_under_its_new_stamp(CancellationToken token)
    {
        File.SetLastWriteTimeUtc(_tree.PathOf(Shard), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        var first = await _tree.CheckAsync(_ledger, CheckScope.Presence, token);
        var second = await _tree.CheckAsync(_ledger, CheckScope.Presence, token);

        first.Verdict.Result.Should().Be(CheckResult.Valid);
        first.BytesChecked.Should().Be(new FileInfo(_tree.PathOf(Shard)).Length);
        second.BytesChecked.Should().Be(0);
        _ledger.Suspects.Should().BeEmpty();
    }

    [Test]
    public async Task What_is_missing_truncated_extended_or_of_another_type_is_damage(CancellationToken token)
    {
        File.Delete(_tree.PathOf("config.json"));
        File.Delete(_tree.PathOf("tokenizer.json"));
        Directory.CreateDirectory(_tree.PathOf("tokenizer.json"));
        using (var shard = new FileStream(_tree.PathOf(Shard), FileMode.Open)) shard.SetLength(30_000);
        using (var shard = new FileStream(_tree.PathOf("extra/model.Q4.gguf"), FileMode.Append)) shard.WriteByte(0);

        var report = await _tree.CheckAsync(_ledger, CheckScope.Presence, token);

        report.Verdict.Findings.Select(finding => (finding.Path!.Value.Value, finding.Reason, finding.Offset)).Should().BeEquivalentTo(
        [
            ("config.json", FindingReason.FileMissing, (long?)null),
            ("tokenizer.json", FindingReason.UnexpectedType, null),
            (Shard, FindingReason.SizeMismatch, 30_000),
            ("extra/model.Q4.gguf", FindingReason.SizeMismatch, _ledger.Manifest.Entries.Single(entry => entry.Path.Value == "extra/model.Q4.gguf").Size),
        ]);
    }

    [Test]
    public async Task A_file_that_comes_back_within_the_settling_delay_is_no_damage(CancellationToken token)
    {
        var settle = TimeSpan.FromMilliseconds(500);
        var aside = Path.Combine(_tree.Base, "aside");
        File.Move(_tree.PathOf("config.json"), aside);

        var report = await _tree.Runner.RunAsync(
            new CheckSubject(_tree.Root, null, _ledger, 7),
            new CheckRequest
            {
                Policy = _tree.Policy with { SettleDelay = settle },
                Scope = CheckScope.Presence,
                // The first look is over: what was missing then comes back.
                Progress = progress => { if (progress.FilesDone == progress.FilesTotal && File.Exists(aside)) File.Move(aside, _tree.PathOf("config.json")); },
            },
            token);

        report.Verdict.Result.Should().Be(CheckResult.Valid, string.Join("; ", report.Verdict.Findings));
        report.Duration.Should().BeGreaterThan(settle * 0.9, "the absence was seen (a timer may be a fraction early)");
    }

    [Test]
    public async Task A_deleted_directory_is_damage_but_an_unmounted_one_is_not(CancellationToken token)
    {
        Directory.Move(_tree.Root, Path.Combine(_tree.Base, "gone"));

        var deleted = await _tree.CheckAsync(_ledger, CheckScope.Presence, token, boundary: _tree.Base);
        deleted.Verdict.Should().BeEquivalentTo(new { Result = CheckResult.Invalid, Reason = FindingReason.FileMissing });

        // The same absence, with files that were on another device than what is there now.
        var elsewhere = _ledger.Manifest.Entries.Select(entry => entry with { Stamp = entry.Stamp with { Device = entry.Stamp.Device + 1 } });
        var ledger = VerificationLedger.Unproven(GivenManifest.Document(elsewhere, CheckedTree.Chunk));
        var unmounted = await _tree.CheckAsync(ledger, CheckScope.Presence, token, boundary: _tree.Base);
        unmounted.Verdict.Should().BeEquivalentTo(new { Result = CheckResult.Inconclusive, Reason = FindingReason.RootUnavailable });

        Directory.CreateDirectory(_tree.Root);
        var emptyMountPoint = await _tree.CheckAsync(ledger, CheckScope.Presence, token, boundary: _tree.Base);
        emptyMountPoint.Verdict.Should().BeEquivalentTo(new { Result = CheckResult.Inconclusive, Reason = FindingReason.RootUnavailable });

        Directory.Delete(_tree.Root);
    }

    [Test]
    public async Task Hard_links_are_read_once_and_judged_under_all_names(CancellationToken token)
    {
        System.Diagnostics.Process.Start("ln", [_tree.PathOf(Shard), _tree.PathOf("alias.safetensors")]).WaitForExit();
        var ledger = await _tree.ProveAsync(token);
        var before = _tree.Engine.BytesRead;

        var intact = await _tree.CheckAsync(ledger, CheckScope.Full, token);

        var size = new FileInfo(_tree.PathOf(Shard)).Length;
        intact.Verdict.Result.Should().Be(CheckResult.Valid);
        (_tree.Engine.BytesRead - before).Should().Be(ledger.Manifest.TotalBytes - size);

        _tree.Damage(Shard, 100, value => (byte)~value);
        var damaged = await _tree.CheckAsync(ledger, CheckScope.Full, token);
        damaged.Verdict.Findings.Select(finding => finding.Path!.Value.Value).Should().BeEquivalentTo(Shard, "alias.safetensors");
    }

    [Test]
    public async Task The_ledger_proves_what_was_read_and_remembers_the_damaged(CancellationToken token)
    {
        _tree.Damage(Shard, 20_000, value => (byte)~value);
        var saved = 0;

        var report = await _tree.Runner.RunAsync(
            new CheckSubject(_tree.Root, null, _ledger, 7),
            new CheckRequest { Policy = _tree.Policy with { CheckpointBytes = 1 }, Scope = CheckScope.Full, Checkpoint = _ => saved++ },
            token);

        saved.Should().BeGreaterThan(3);
        report.FullPassEnded.Should().BeTrue();
        _ledger.Suspects.Should().ContainSingle().Which.Value.Reason.Should().Be(FindingReason.DigestMismatch);

        _tree.Damage(Shard, 20_000, value => (byte)~value);
        var repaired = await _tree.CheckAsync(_ledger, CheckScope.Presence, token);
        repaired.Verdict.Result.Should().Be(CheckResult.Valid);
        _ledger.Suspects.Should().BeEmpty();
    }

    [Test]
    public async Task A_cancelled_check_says_so_and_keeps_what_it_proved(CancellationToken token)
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(token);
        var report = await _tree.Runner.RunAsync(
            new CheckSubject(_tree.Root, null, _ledger, 7),
            new CheckRequest { Policy = _tree.Policy, Scope = CheckScope.Full, Progress = progress => { if (progress.BytesDone > 0) cancel.Cancel(); } },
            cancel.Token);

        report.Verdict.Should().BeEquivalentTo(new { Result = CheckResult.Inconclusive, Reason = FindingReason.Cancelled });
        report.FullPassEnded.Should().BeFalse();
        _ledger.FullPassSince.Should().NotBeNull();

        var rest = await _tree.CheckAsync(_ledger, CheckScope.Full, token);
        rest.Verdict.Result.Should().Be(CheckResult.Valid);
        rest.FullPassEnded.Should().BeTrue();
    }
}
