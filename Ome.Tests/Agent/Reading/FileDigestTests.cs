using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Agent.Reading;

/// <summary>What the engine says of a file's content, against the plainest possible computation.</summary>
public sealed class FileDigestTests : ReadingFixture
{
    private const WholeDigests AllWhole = WholeDigests.Sha256 | WholeDigests.GitSha1 | WholeDigests.Md5 | WholeDigests.Md5Composite;
    private const long PartSize = 5_000_001;

    [Test, CancelAfter(180_000)]
    public async Task All_digests_of_one_read_are_right_at_every_boundary(
        [Values(0, 1, 4095, 4096, 4097, (8 * MiB) - 1, 8 * MiB, (8 * MiB) + 1, (64 * MiB) - 1, 64 * MiB, (64 * MiB) + 1)] long size,
        [Values(ReadPurpose.Routine, ReadPurpose.Confirm)] ReadPurpose purpose, CancellationToken token)
    {
        var path = size > 32 * MiB ? MakeSparse("f", size) : Make("f", size);

        var seen = await ReadAsync("f", ReadRequest.WholeFile(AllWhole, purpose, PartSize), token);

        var present = seen.Should().BeOfType<FileObservation.Present>().Subject;
        present.Stamp.Size.Should().Be(size);
        present.Sha256.Should().Be(Sha256Of(path));
        present.Upstream.Should().Equal(Reference(path, size));
        present.Chunks.Should().Equal(ReferenceChunks(path, size));
        if (size == 0) present.Route.Should().BeNull();
        else if (purpose == ReadPurpose.Confirm) present.Route.Should().Be(ReadRoute.Direct);
        else if (size < 32 * MiB) present.Route.Should().Be(ReadRoute.Buffered, "it was just written and is cached");
    }

    [Test, CancelAfter(180_000)]
    public async Task Chunks_alone_are_the_same_as_chunks_beside_other_digests(
        [Values(0, 1, 4097, (8 * MiB) + 1, (64 * MiB) + 1, (200 * MiB) + 12345)] long size, [Values(ReadPurpose.Routine, ReadPurpose.Confirm)] ReadPurpose purpose, [Values] bool evicted, CancellationToken token)
    {
        var path = size > 100 * MiB ? MakeSparse("f", size) : Make("f", size);
        if (evicted) Evict(path);

        var seen = await ReadAsync("f", ReadRequest.EveryChunk(purpose), token);

        var present = seen.Should().BeOfType<FileObservation.Present>().Subject;
        present.Sha256.Should().BeNull();
        present.Upstream.Should().BeEmpty();
        present.Chunks.Should().Equal(ReferenceChunks(path, size));
    }

    [TestCase(new[] { 0 }, new[] { 0 })]
    [TestCase(new[] { 3 }, new[] { 3 })]
    [TestCase(new[] { 2, 0 }, new[] { 0, 2 })]
    [TestCase(new[] { 1, 2, 7 }, new[] { 1, 2 }, TestName = "A chunk past the end is left out")]
    [TestCase(new int[0], new int[0])]
    [CancelAfter(180_000)]
    public async Task Only_the_named_chunks_are_read(int[] asked, int[] expected, CancellationToken token)
    {
        const long size = (200 * MiB) + 12345;
        var path = MakeSparse("f", size);
        Evict(path);
        var engine = NewEngine();

        var seen = await new FileProbe(engine).ReadAsync(OpenRoot(), ArtifactPath.Parse("f"), ReadRequest.SomeChunks(asked), token);

        var present = seen.Should().BeOfType<FileObservation.Present>().Subject;
        var reference = ReferenceChunks(path, size);
        present.Chunks.Should().Equal(reference.Where(chunk => expected.Contains(chunk.Key)));
        engine.BytesRead.Should().Be(expected.Sum(index => Math.Min(ArtifactManifest.ChunkSize, size - (index * ArtifactManifest.ChunkSize))));
    }

    [TestCase(5_000_000, 3)]
    [TestCase(15_000_000, 1)]
    [TestCase(14_999_999, 2)]
    [TestCase(15_000_001, 1)]
    [CancelAfter(180_000)]
    public async Task A_composite_md5_names_its_parts(long partSize, int parts, CancellationToken token)
    {
        Make("f", 15_000_000);

        var seen = await ReadAsync("f", ReadRequest.WholeFile(WholeDigests.Md5Composite, md5PartSize: partSize, withChunks: false), token);

        var present = (FileObservation.Present)seen;
        present.Upstream.Should().ContainSingle().Which.Should().Match<ContentDigest>(digest => digest.Parts == parts && digest.PartSize == partSize);
        present.Upstream[0].Should().Be(Composite(Path.Combine(Directory, "f"), partSize));
        present.Chunks.Should().BeEmpty();
        present.Sha256.Should().BeNull();
    }

    [Test, CancelAfter(180_000)]
    public async Task What_is_compared_with_upstream_is_what_upstream_published(CancellationToken token)
    {
        var path = Make("f", 100_000);
        var upstream = Reference(path, 100_000);

        var seen = (FileObservation.Present)await ReadAsync("f", ReadRequest.ToCompareWith([.. upstream], ReadPurpose.Stage), token);

        seen.Upstream.Should().Equal(upstream);
        seen.Sha256.Should().Be(Sha256Of(path));
    }

    [Test, CancelAfter(180_000)]
    public async Task The_next_file_is_not_coloured_by_one_that_was_cut_short(CancellationToken token)
    {
        var path = Make("good", 20 * MiB);
        Make("bad", 20 * MiB, seed: 2);
        Calls.Fault = call => call.Site == CallSite.Read && Calls.Opened.Last().EndsWith("bad", StringComparison.Ordinal) && call.Offset >= 10 * MiB ? -5 : null;
        Options.Workers = 1;
        var (probe, root) = (new FileProbe(NewEngine()), OpenRoot());
        var request = ReadRequest.WholeFile(AllWhole, md5PartSize: PartSize);

        var bad = await probe.ReadAsync(root, ArtifactPath.Parse("bad"), request, token);
        var good = await probe.ReadAsync(root, ArtifactPath.Parse("good"), request, token);

        bad.Should().BeOfType<FileObservation.Unreadable>();
        ((FileObservation.Present)good).Upstream.Should().Equal(Reference(path, 20 * MiB));
        ((FileObservation.Present)good).Chunks.Should().Equal(ReferenceChunks(path, 20 * MiB));
    }

    private static IEnumerable<ContentDigest> Reference(string path, long size)
    {
        var bytes = Bytes(path);
        yield return ContentDigest.Of(DigestAlgorithm.GitSha1, SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {size}\0"), .. bytes]));
        yield return ContentDigest.Of(DigestAlgorithm.Md5, MD5.HashData(bytes));
        yield return Composite(path, PartSize);
    }

    private static ContentDigest Composite(string path, long partSize)
    {
        var parts = Bytes(path).Chunk((int)partSize).Select(MD5.HashData).DefaultIfEmpty(MD5.HashData([])).ToList();
        return ContentDigest.OfComposite(MD5.HashData([.. parts.SelectMany(part => part)]), parts.Count, partSize);
    }

    private static Dictionary<int, UInt128> ReferenceChunks(string path, long size)
    {
        using var file = File.OpenRead(path);
        var chunks = new Dictionary<int, UInt128>();
        var buffer = new byte[ArtifactManifest.ChunkSize];
        for (var i = 0; i < ArtifactManifest.ChunkCount(size); i++) chunks[i] = XxHash128.HashToUInt128(buffer.AsSpan(0, file.ReadAtLeast(buffer, buffer.Length, false)));
        return chunks;
    }

    private static byte[] Bytes(string path)
    {
        using var file = File.OpenRead(path);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
