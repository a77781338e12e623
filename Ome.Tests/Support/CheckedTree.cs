using System.Security.Cryptography;
using System.Text;
using Ome.Agent.Verification;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Support;

/// <summary>A small real model in a directory of its own, with what is needed to check it. Chunks have 8 KiB, so that small files have many.</summary>
internal sealed class CheckedTree : IDisposable
{
    public const long Chunk = 8192;

    private readonly IoBudget _budget = new(0, TimeProvider.System);

    public CheckedTree(int seed = 1, bool populate = true)
    {
        Base = Directory.CreateTempSubdirectory("ome-tree-").FullName;
        Root = Path.Combine(Base, "model");
        Directory.CreateDirectory(Root);
        Engine = new ReadEngine(new ReadEngineOptions { Workers = 2 }, _budget, TimeProvider.System);
        Runner = new VerificationRunner(Engine, TimeProvider.System);
        if (populate) Populate(seed);
    }

    /// <summary>Parent of <see cref="Root"/>: stands for the models root.</summary>
    public string Base { get; }

    public string Root { get; }

    public ReadEngine Engine { get; }

    public VerificationRunner Runner { get; set; }

    /// <summary>Fast enough for tests: things settle within 20 ms.</summary>
    public VerificationPolicy Policy { get; set; } = new() { SettleDelay = TimeSpan.FromMilliseconds(20), BytesPerSecond = 0 };

    public SourceIdentity Source => new("hf://acme/model", Root, null);

    public string PathOf(string name) => Path.Combine(Root, name);

    public void Write(string name, ReadOnlySpan<byte> content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        using var stream = new FileStream(PathOf(name), FileMode.Create);
        stream.Write(content);
    }

    public void Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    /// <summary>Two shards with their index, a GGUF file, configuration, a nested folder, an empty file.</summary>
    public void Populate(int seed, int shardBytes = 50_000)
    {
        Write("config.json", """{"architectures":["LlamaForCausalLM"],"model_type":"llama"}""");
        Write("model-00001-of-00002.safetensors", WeightFiles.Safetensors(seed, shardBytes));
        Write("model-00002-of-00002.safetensors", WeightFiles.Safetensors(seed + 1, (shardBytes / 2) + 77));
        Write("model.safetensors.index.json", """{"metadata":{"total_size":1},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}""");
        Write("extra/model.Q4.gguf", WeightFiles.Gguf(seed, 3000));
        Write("tokenizer.json", """{"version":"1.0","model":{"type":"BPE","vocab":{}}}""");
        Write("extra/empty.txt", "");
    }

    /// <summary>Takes the manifest and a ledger in which everything was proven now.</summary>
    public async Task<VerificationLedger> ProveAsync(CancellationToken token, string? root = null, string? boundary = null)
    {
        var build = await new ManifestBuilder(Engine, TimeProvider.System)
            .BuildAsync(new BuildRequest(root ?? Root, boundary, Source, GroundTruth.None, Chunk), token);
        build.Manifest.Should().NotBeNull(string.Join("; ", build.Verdict.Findings));
        return VerificationLedger.ProvenAt(new ManifestDocument(build.Manifest!, ManifestCodec.DigestOf(build.Manifest!)), TimeProvider.System.GetUtcNow().AddMinutes(-1));
    }

    public Task<CheckReport> CheckAsync(VerificationLedger ledger, CheckScope scope, CancellationToken token, string? root = null, string? boundary = null) =>
        Runner.RunAsync(new CheckSubject(root ?? Root, boundary, ledger, 7), new CheckRequest { Policy = Policy, Scope = scope }, token);

    /// <summary>Changes bytes in place and puts the modification time back, as a fault below the file system would.</summary>
    public void Damage(string name, long offset, Func<byte, byte> change)
    {
        var path = PathOf(name);
        var time = File.GetLastWriteTimeUtc(path);
        using (var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite))
        {
            stream.Position = offset;
            var value = (byte)stream.ReadByte();
            stream.Position = offset;
            stream.WriteByte(change(value));
        }

        File.SetLastWriteTimeUtc(path, time);
    }

    public static string Sha256Of(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    public void Dispose()
    {
        Engine.Dispose();
        _budget.Dispose();
        Directory.Delete(Base, recursive: true);
    }
}
