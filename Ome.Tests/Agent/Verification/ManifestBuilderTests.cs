using System.Diagnostics;
using Ome.Agent.Verification;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Verification;

[CancelAfter(120_000)]
public sealed class ManifestBuilderTests
{
    private CheckedTree _tree = null!;

    [SetUp]
    public void MakeTree() => _tree = new CheckedTree();

    [TearDown]
    public void RemoveTree() => _tree.Dispose();

    [Test]
    public async Task Every_file_is_listed_with_all_its_digests(CancellationToken token)
    {
        var build = await BuildAsync(token);

        build.Verdict.Result.Should().Be(CheckResult.Valid);
        build.Manifest!.Entries.Should().HaveCount(7);
        build.Manifest.Trust.Should().Be(ManifestTrust.Local);
        foreach (var entry in build.Manifest.Entries)
        {
            entry.Sha256!.Value.Hex.Should().Be(CheckedTree.Sha256Of(_tree.PathOf(entry.Path.Value)));
            entry.Chunks.Should().HaveCount(ArtifactManifest.ChunkCount(entry.Size, CheckedTree.Chunk));
            entry.Stamp.Size.Should().Be(new FileInfo(_tree.PathOf(entry.Path.Value)).Length);
        }
    }

    [Test]
    public async Task A_hostile_tree_neither_hangs_nor_leads_out_of_the_root(CancellationToken token)
    {
        Process.Start("mkfifo", [_tree.PathOf("fifo.safetensors")]).WaitForExit();
        File.CreateSymbolicLink(_tree.PathOf("passwd"), "/etc/passwd");
        File.CreateSymbolicLink(_tree.PathOf("loop"), "loop");
        File.CreateSymbolicLink(_tree.PathOf("folder"), "extra");
        _tree.Write("new\nline.bin", "x");
        _tree.Write("back\\slash.bin", "x");
        _tree.Write(new string('n', 255), "x");
        _tree.Write(string.Join('/', Enumerable.Repeat("deep", 60)) + "/file", "x");

        var build = await BuildAsync(token);

        build.Skipped.Should().HaveCount(4).And.Contain("fifo.safetensors: not a regular file").And.Contain("folder: a link to a directory");
        build.Verdict.Findings.Select(finding => (finding.Path!.Value.Value, finding.Reason)).Should().BeEquivalentTo([("passwd", FindingReason.LinkInvalid), ("loop", FindingReason.LinkInvalid)]);
        build.Files.Should().Be(9);
    }

    [Test]
    public async Task What_lies_beside_an_artifact_is_not_part_of_it(CancellationToken token)
    {
        _tree.Write(".ome/manifest", "x");
        _tree.Write(".cache/huggingface/download/a.metadata", "x");
        _tree.Write(".git/HEAD", "x");
        _tree.Write("model.safetensors.incomplete", "x");
        _tree.Write("download.lock", "x");

        (await BuildAsync(token)).Files.Should().Be(7);
    }

    [Test]
    public async Task Structural_findings_at_first_are_the_baseline_and_never_damage_later(CancellationToken token)
    {
        _tree.Write("broken.safetensors", "this is no safetensors file at all");
        File.Delete(_tree.PathOf("model-00002-of-00002.safetensors"));

        var build = await BuildAsync(token);

        build.Verdict.Findings.Select(finding => finding.Reason).Should().BeEquivalentTo([FindingReason.StructureInvalid, FindingReason.IndexIncomplete]);
        build.Manifest!.Entries.Single(entry => entry.Path.Value == "broken.safetensors").Baseline.Should().Equal("StructureInvalid");
        var ledger = VerificationLedger.Unproven(new ManifestDocument(build.Manifest, ManifestCodec.DigestOf(build.Manifest)));
        (await _tree.CheckAsync(ledger, CheckScope.Full, token)).Verdict.Result.Should().Be(CheckResult.Valid);
    }

    [Test]
    public async Task A_structural_finding_without_baseline_is_settled_by_the_digest_once(CancellationToken token)
    {
        _tree.Write("broken.safetensors", "this is no safetensors file at all");
        var build = await BuildAsync(token);
        // As if a program that knew fewer rules had taken the manifest.
        var document = GivenManifest.Document(build.Manifest!.Entries.Select(entry => entry with { Baseline = [] }), CheckedTree.Chunk);
        var ledger = VerificationLedger.ProvenAt(document, TimeProvider.System.GetUtcNow());

        var first = await _tree.CheckAsync(ledger, CheckScope.Presence, token);
        var second = await _tree.CheckAsync(ledger, CheckScope.Presence, token);

        first.Verdict.Result.Should().Be(CheckResult.Valid);
        first.BytesChecked.Should().BePositive();
        second.BytesChecked.Should().Be(0, "the answer is noted");
    }

    [Test]
    public async Task A_root_that_is_not_there_could_not_be_read(CancellationToken token)
    {
        var build = await new ManifestBuilder(_tree.Engine, TimeProvider.System).BuildAsync(
            new BuildRequest(Path.Combine(_tree.Base, "nowhere"), null, _tree.Source, GroundTruth.None), token);

        build.Manifest.Should().BeNull();
        build.Verdict.Should().BeEquivalentTo(new { Result = CheckResult.Inconclusive, Reason = FindingReason.RootUnavailable });
    }

    private Task<ManifestBuild> BuildAsync(CancellationToken token) => new ManifestBuilder(_tree.Engine, TimeProvider.System).BuildAsync(
        new BuildRequest(_tree.Root, null, _tree.Source, GroundTruth.None, CheckedTree.Chunk), token);
}
