using Ome.Agent.Verification;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Agent.Reading;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Verification;

/// <summary>
/// Somebody downloads the file anew while it is being checked (integrity reference F.9): at each of its chunks, in every way tools do it, the
/// check must come to no wrong verdict, and the next one must prove the file.
/// </summary>
[CancelAfter(180_000)]
public sealed class ReplacedDuringCheckTests
{
    private const string Shard = "model-00001-of-00002.safetensors";
    private const int Chunks = 7;

    private readonly FaultyCalls _calls = new();
    private CheckedTree _tree = null!;
    private VerificationLedger _ledger = null!;
    private ReadEngine _engine = null!;
    private IoBudget _budget = null!;

    [SetUp]
    public async Task MakeTree()
    {
        _tree = new CheckedTree();
        _ledger = await _tree.ProveAsync(CancellationToken.None);
        _ledger.Manifest.Entries.Single(entry => entry.Path.Value == Shard).Chunks.Length.Should().Be(Chunks);
        _budget = new IoBudget(0, TimeProvider.System);
        _engine = new ReadEngine(new ReadEngineOptions { Workers = 1 }, _budget, TimeProvider.System, _calls);
        _tree.Runner = new VerificationRunner(_engine, TimeProvider.System);
        _calls.Before = _ => { };
    }

    [TearDown]
    public void RemoveTree()
    {
        _engine.Dispose();
        _budget.Dispose();
        _tree.Dispose();
    }

    [Test]
    public async Task A_file_replaced_at_a_chunk_is_never_called_damaged(
        [Values("renamed over", "rewritten in place", "unlinked and written", "truncated and written")] string way, [Range(0, Chunks - 1)] int chunk, CancellationToken token)
    {
        var replaced = 0;
        _calls.Before = call =>
        {
            // The shard is the only file with so many chunks; its first is met by structure looks of others too, which is as good a moment.
            if (call.Site == CallSite.Read && call.Offset == chunk * CheckedTree.Chunk && Interlocked.Exchange(ref replaced, 1) == 0) Replace(way);
        };

        var during = await _tree.CheckAsync(_ledger, CheckScope.Full, token);
        var after = await _tree.CheckAsync(_ledger, CheckScope.Full, token);

        replaced.Should().Be(1, "the file was replaced during the check");
        during.Verdict.Result.Should().NotBe(CheckResult.Invalid, string.Join("; ", during.Verdict.Findings));
        after.Verdict.Result.Should().Be(CheckResult.Valid, string.Join("; ", after.Verdict.Findings));
        _ledger.Suspects.Should().BeEmpty();
    }

    [Test]
    public async Task A_file_replaced_at_every_look_could_not_be_verified_and_is_not_called_damaged(CancellationToken token)
    {
        _calls.Before = call =>
        {
            if (call.Site == CallSite.Read && call.Offset == 3 * CheckedTree.Chunk) Replace("renamed over");
        };

        var during = await _tree.CheckAsync(_ledger, CheckScope.Full, token);

        during.Verdict.Should().BeEquivalentTo(new { Result = CheckResult.Inconclusive, Reason = FindingReason.ChangedDuringCheck });
        _calls.Before = _ => { };
        (await _tree.CheckAsync(_ledger, CheckScope.Presence, token)).Verdict.Result.Should().Be(CheckResult.Valid);
    }

    private void Replace(string way)
    {
        var path = _tree.PathOf(Shard);
        var content = WeightFiles.Safetensors(1, 50_000);
        switch (way)
        {
            case "renamed over":
                var fresh = Path.Combine(_tree.Base, "fresh");
                Write(fresh, FileMode.Create, content);
                File.Move(fresh, path, overwrite: true);
                break;
            case "rewritten in place":
                Write(path, FileMode.Open, content);
                break;
            case "unlinked and written":
                File.Delete(path);
                Write(path, FileMode.CreateNew, content);
                break;
            default:
                Write(path, FileMode.Truncate, content);
                break;
        }
    }

    private static void Write(string path, FileMode mode, byte[] content)
    {
        using var stream = new FileStream(path, mode, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        stream.Write(content);
    }
}
