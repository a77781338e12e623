using System.Collections.Immutable;
using System.IO.Hashing;
using Ome.Agent.Verification;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Verification;

/// <summary>One file of a terabyte (integrity reference F.15): a sparse one, of which a pass reads its share in memory that does not grow with the file.</summary>
[CancelAfter(120_000)]
public sealed class TerabyteTests
{
    private const long Terabyte = 1L << 40;

    /// <summary>A kind of file without a structure: zeros that should be weights are read whole.</summary>
    private const string Name = "embeddings.dat";

    [Test]
    public async Task A_pass_over_a_terabyte_reads_its_share_in_bounded_memory(CancellationToken token)
    {
        using var tree = new CheckedTree(populate: false);
        if (!MakeSparse(tree.PathOf(Name))) Assert.Ignore("the file system of the scratch directory holds no file of a terabyte");
        var ledger = VerificationLedger.ProvenAt(await DocumentAsync(tree, token), TimeProvider.System.GetUtcNow().AddDays(-30));
        var before = GC.GetTotalMemory(forceFullCollection: true);

        var report = await tree.Runner.RunAsync(
            new CheckSubject(tree.Root, null, ledger, 7),
            new CheckRequest { Policy = tree.Policy, Scope = CheckScope.Scheduled, MaxBytes = 8 * ArtifactManifest.ChunkSize },
            token);

        report.Verdict.Result.Should().Be(CheckResult.Valid, string.Join("; ", report.Verdict.Findings));
        report.BytesChecked.Should().Be(8 * ArtifactManifest.ChunkSize);
        report.BytesDeferred.Should().Be(Terabyte - report.BytesChecked, "everything was due, and the budget of this pass was small");
        (GC.GetTotalMemory(forceFullCollection: true) - before).Should().BeLessThan(2 << 20);
        LedgerCodec.Write(ledger).Length.Should().BeLessThan(1 << 20);
    }

    [Test]
    public async Task A_flipped_byte_in_the_last_chunk_of_a_terabyte_is_found_there(CancellationToken token)
    {
        using var tree = new CheckedTree(populate: false);
        if (!MakeSparse(tree.PathOf(Name))) Assert.Ignore("the file system of the scratch directory holds no file of a terabyte");
        var document = await DocumentAsync(tree, token);
        using (var stream = new FileStream(tree.PathOf(Name), FileMode.Open))
        {
            stream.Position = Terabyte - 1;
            stream.WriteByte(1);
        }

        using var root = ((Ome.Agent.Verification.Reading.ArtifactRootResult.Opened)await tree.Engine.OpenRootAsync(tree.Root, null, token)).Root;
        var last = (int)(Terabyte / ArtifactManifest.ChunkSize) - 1;
        var seen = await new Ome.Agent.Verification.Reading.FileProbe(tree.Engine).ReadAsync(
            root, ArtifactPath.Parse(Name), Ome.Agent.Verification.Reading.ReadRequest.SomeChunks([0, last]), token);

        var judgement = FileJudge.Judge(document.Manifest.Entries[0], document.Manifest.Entries[0].Stamp, seen, ArtifactManifest.ChunkSize);
        judgement.Should().BeOfType<FileJudgement.Doubtful>().Which.Finding.Offset.Should().Be(last * ArtifactManifest.ChunkSize);
    }

    private static bool MakeSparse(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Create);
            stream.SetLength(Terabyte);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>A manifest of zeros: nobody reads a terabyte to make it.</summary>
    private static async Task<ManifestDocument> DocumentAsync(CheckedTree tree, CancellationToken token)
    {
        using var root = ((Ome.Agent.Verification.Reading.ArtifactRootResult.Opened)await tree.Engine.OpenRootAsync(tree.Root, null, token)).Root;
        var present = (FileObservation.Present)new Ome.Agent.Verification.Reading.FileProbe(tree.Engine).Stat(root, ArtifactPath.Parse(Name));
        var zeros = XxHash128.HashToUInt128(new byte[ArtifactManifest.ChunkSize]);
        var chunks = Enumerable.Repeat(zeros, (int)(Terabyte / ArtifactManifest.ChunkSize)).ToImmutableArray();
        return GivenManifest.Document([GivenManifest.Entry(Name) with { Stamp = present.Stamp, Chunks = chunks }]);
    }
}
