using System.IO.Hashing;
using CsCheck;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Agent.Reading;

/// <summary>Whatever the size, the chunks, what is cached, how short the kernel's answers are and who reads: the digests are those of the bytes.</summary>
public sealed class FileDigestLaws : ReadingFixture
{
    private static readonly int[] Edges = [4096, 65_535, 65_536, 65_537, 2 * MiB, (2 * MiB) + 1, 4 * MiB];

    private sealed record Scene(int Size, long ChunkBytes, int MaxRead, bool Evict, int EvictFrom, int Workers, ReadPurpose Purpose, bool Whole)
    {
        public static readonly Gen<Scene> Any = Gen.Select(
            Gen.OneOf(Gen.Int[0, 70_000], Gen.Int[0, 6 * MiB], Gen.Int[0, Edges.Length - 1].Select(i => Edges[i])),
            Gen.Int[1, 700].Select(pages => pages * 4096L),
            Gen.OneOf(Gen.Const(int.MaxValue), Gen.Int[3000, 3 * MiB]),
            Gen.Bool, Gen.Int[0, 6 * MiB], Gen.Int[1, 3], Gen.Enum<ReadPurpose>(), Gen.Bool).Select(
            (size, chunk, longest, evict, from, workers, purpose, whole) => new Scene(size, chunk, longest, evict, from, workers, purpose, whole));
    }

    [Test]
    public void Digests_are_those_of_the_bytes()
    {
        // The small-file path ends at 64 KiB here, so that megabytes take all the others.
        Options.SmallFile = 64 * 1024;
        var count = 0;
#pragma warning disable RS0030 // the switch of the long hunt
        Scene.Any.Sample(scene => Holds(scene, $"f{count++}"), iter: Environment.GetEnvironmentVariable("OME_LAWS") == "long" ? 3000 : 80, threads: 1);
#pragma warning restore RS0030
    }

    private bool Holds(Scene scene, string name)
    {
        var path = Make(name, scene.Size, scene.Size);
        if (scene.Evict) Evict(path, Math.Min(scene.EvictFrom, scene.Size) & -4096);
        Calls.MaxRead = scene.MaxRead;
        Options.Workers = scene.Workers;
        using var engine = new ReadEngine(Options, Budget, TimeProvider.System, Calls);
        var request = (scene.Whole ? ReadRequest.WholeFile(WholeDigests.Sha256, scene.Purpose) : ReadRequest.EveryChunk(scene.Purpose)) with { ChunkBytes = scene.ChunkBytes };

#pragma warning disable VSTHRD002 // CsCheck's samples are synchronous
        var seen = new FileProbe(engine).ReadAsync(OpenRoot(), ArtifactPath.Parse(name), request, CancellationToken.None).GetAwaiter().GetResult();
#pragma warning restore VSTHRD002

        if (seen is not FileObservation.Present present) return false;
        var good = (!scene.Whole || present.Sha256 == Sha256Of(path)) && present.Chunks.SequenceEqual(Reference(path, scene.ChunkBytes));
        File.Delete(path);
        return good;
    }

    private static IEnumerable<KeyValuePair<int, UInt128>> Reference(string path, long chunkBytes)
    {
        using var file = File.OpenRead(path);
        var buffer = new byte[chunkBytes];
        for (var i = 0; i * chunkBytes < file.Length; i++) yield return new(i, XxHash128.HashToUInt128(buffer.AsSpan(0, file.ReadAtLeast(buffer, buffer.Length, false))));
    }
}
