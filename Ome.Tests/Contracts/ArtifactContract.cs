using System.Security.Cryptography;
using System.Text;
using Ome.Agent.Staging;
using Ome.Shared.Domain.Manifests;

namespace Ome.Tests.Contracts;

/// <summary>What holds of an artifact wherever it comes from: over a wire, or because it lies on the node already.</summary>
public abstract class ArtifactContract
{
    /// <summary>The larger of the two shards.</summary>
    protected const string Shard = "model-00001-of-00002.safetensors";

    /// <summary>An artifact of these files at its origin.</summary>
    protected abstract Task<ArtifactBed> BeginAsync(IReadOnlyDictionary<string, byte[]> files, CancellationToken cancellationToken);

    /// <summary>Small, nested, empty, odd names, and two shards big enough to be cut.</summary>
    protected static IReadOnlyDictionary<string, byte[]> Files { get; } = new SortedDictionary<string, byte[]>(StringComparer.Ordinal)
    {
        ["config.json"] = Encoding.UTF8.GetBytes("""{"model_type":"llama"}"""),
        ["README.md"] = Encoding.UTF8.GetBytes("# A model\n"),
        ["empty.txt"] = [],
        ["assets/a b+c%20d#e?f.txt"] = Encoding.UTF8.GetBytes("name with everything a URL must escape"),
        ["text_encoder/ünïcode.json"] = Encoding.UTF8.GetBytes("{}"),
        ["tokenizer.json"] = Noise(1, 40_000),
        [Shard] = Noise(2, 700_001),
        ["model-00002-of-00002.safetensors"] = Noise(3, 300_000),
    };

    [Test, CancelAfter(120_000)]
    public async Task It_lists_every_file_of_every_page_with_its_exact_size(CancellationToken cancellationToken)
    {
        await using var bed = await BeginAsync(Files, cancellationToken);

        var taken = await bed.TakeAsync(cancellationToken);

        taken.Select(file => (file.Path, file.Size)).Should().Equal(
            Files.OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => (file.Key, (long)file.Value.Length)));
    }

    [Test, CancelAfter(120_000)]
    public async Task Every_listed_digest_is_the_digest_of_the_bytes(CancellationToken cancellationToken)
    {
        await using var bed = await BeginAsync(Files, cancellationToken);

        Held(await bed.TakeAsync(cancellationToken), Files);
    }

    [Test, CancelAfter(120_000)]
    public async Task New_content_under_a_name_is_not_held_to_what_was_there(CancellationToken cancellationToken)
    {
        await using var bed = await BeginAsync(Files, cancellationToken);
        await bed.TakeAsync(cancellationToken);
        var changed = new Dictionary<string, byte[]>(Files, StringComparer.Ordinal) { [Shard] = Noise(97, Files[Shard].Length) };
        bed.Replace(Shard, changed[Shard]);

        Held(await bed.TakeAsync(cancellationToken), changed);
    }

    [Test, CancelAfter(120_000)]
    public async Task What_does_not_exist_is_not_found(CancellationToken cancellationToken)
    {
        await using var bed = await BeginAsync(Files, cancellationToken);

        (await bed.FailAsync(cancellationToken)).Reason.Should().Be(StagingFailureReason.NotFound);
    }

    [Test, CancelAfter(120_000)]
    public async Task Who_gives_up_gets_no_answer(CancellationToken cancellationToken)
    {
        await using var bed = await BeginAsync(Files, cancellationToken);

        await bed.Invoking(taken => taken.TakeAsync(new CancellationToken(canceled: true))).Should().ThrowAsync<OperationCanceledException>();
    }

    /// <summary>Bytes that repeat for a seed.</summary>
    protected static byte[] Noise(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static void Held(IReadOnlyList<TakenFile> taken, IReadOnlyDictionary<string, byte[]> files)
    {
        taken.Sum(file => file.Digests.Length).Should().BePositive();
        foreach (var file in taken)
        {
            foreach (var digest in file.Digests) digest.Should().Be(Digest(digest, files[file.Path]), file.Path);
        }
    }

    private static ContentDigest Digest(ContentDigest like, byte[] content) => like.Algorithm switch
    {
        DigestAlgorithm.Sha256 => ContentDigest.Of(DigestAlgorithm.Sha256, SHA256.HashData(content)),
        DigestAlgorithm.GitSha1 => ContentDigest.Of(DigestAlgorithm.GitSha1, SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content])),
        DigestAlgorithm.Md5 => ContentDigest.Of(DigestAlgorithm.Md5, MD5.HashData(content)),
        DigestAlgorithm.Md5Composite => ContentDigest.OfComposite(
            MD5.HashData([.. content.Chunk((int)like.PartSize).SelectMany(part => MD5.HashData(part))]), like.Parts, like.PartSize),
        _ => throw new NotSupportedException($"Teach this suite {like.Algorithm}."),
    };
}
