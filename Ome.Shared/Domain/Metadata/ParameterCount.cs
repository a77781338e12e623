using Ome.Shared.Domain.Manifests;

namespace Ome.Shared.Domain.Metadata;

/// <summary>Counts parameters by the shapes in the weight files' headers (contract 6.5); packed weights count by their packed shape.</summary>
internal static class ParameterCount
{
    private const string IndexName = "model.safetensors.index.json";
    private const string Suffix = ".safetensors";

    private static readonly (string[] Names, double Bytes)[] Widths =
    [
        (["bfloat16", "bf16", "float16", "fp16", "half"], 2),
        (["int8", "fp8", "float8", "e4m3"], 1),
        (["int4", "4bit"], 0.5),
    ];

    /// <summary>Over the shards the index in <paramref name="folder"/> names, else all safetensors files there; null, with a note, when any of them cannot be counted.</summary>
    public static long? OfWeights(IModelFiles files, string folder, List<string> notes)
    {
        if (ShardsOf(files, folder, notes) is not { Count: > 0 } shards) return null;
        long total = 0;
        foreach (var shard in shards)
        {
            if (OfFile(files, shard, notes) is not { } count || total > long.MaxValue - count) return null;
            total += count;
        }

        return total;
    }

    /// <summary>Text encoder, transformer (or unet) and vae are each required, else 0; other components are added when they can be counted.</summary>
    public static long OfPipeline(IModelFiles files, string folder, DiffusionPipeline pipeline, List<string> notes)
    {
        var backbone = files.Paths.Any(path => path.Value.StartsWith(folder + "transformer/", StringComparison.Ordinal)) ? "transformer" : "unet";
        long total = 0;
        foreach (var part in new[] { "text_encoder", backbone, "vae" })
        {
            if (OfWeights(files, $"{folder}{part}/", notes) is not { } count) return 0;
            total += count;
        }

        foreach (var part in pipeline.AdditionalComponents.Keys)
        {
            // The name is the file's text: one that is no path names no folder of ours.
            if (!ArtifactPath.TryParse($"{folder}{part}/config.json", out var config, out _) || files.SizeOf(config) is null) continue;
            total += OfWeights(files, $"{folder}{part}/", notes) ?? 0;
        }

        return total;
    }

    /// <summary>Parameters × bytes per element; an unknown element type counts 4 bytes.</summary>
    public static long Bytes(long count, string dtype)
    {
        var lower = dtype.ToLowerInvariant();
        foreach (var (names, bytes) in Widths)
        {
            if (names.Any(name => lower.Contains(name, StringComparison.Ordinal))) return Saturated(count * bytes);
        }

        return Saturated(count * 4.0);
    }

    private static long Saturated(double bytes) => bytes < long.MaxValue ? (long)bytes : long.MaxValue;

    private static IReadOnlyCollection<ArtifactPath>? ShardsOf(IModelFiles files, string folder, List<string> notes)
    {
        var index = ArtifactPath.Parse(folder + IndexName);
        if (files.SizeOf(index) is null)
        {
            return [.. files.Paths.Where(path => path.Value.StartsWith(folder, StringComparison.Ordinal)
                && path.Value.IndexOf('/', folder.Length) < 0 && path.Value.EndsWith(Suffix, StringComparison.Ordinal))];
        }

        var parsed = WeightIndex.Read(new FileSource(files, index));
        if (!parsed.IsParsed)
        {
            notes.Add($"{index}: {parsed.Problem.Message}; parameters not counted");
            return null;
        }

        return [.. parsed.Value.Shards.Select(shard => ArtifactPath.Parse(folder + shard.Value))];
    }

    private static long? OfFile(IModelFiles files, ArtifactPath path, List<string> notes)
    {
        try
        {
            if (files.SizeOf(path) is null) return Refused("missing");
            var header = SafetensorsHeader.Read(new FileSource(files, path));
            if (!header.IsParsed) return Refused(header.Problem.Message);
            long total = 0;
            foreach (var tensor in header.Value.Tensors)
            {
                if (tensor.Shape.IsEmpty) continue;
                if (tensor.Elements is <= 0 or long.MaxValue || total > long.MaxValue - tensor.Elements) return Refused($"tensor '{tensor.Name}' has shape [{string.Join(',', tensor.Shape)}]");
                total += tensor.Elements;
            }

            return total;
        }
        catch (IOException broken)
        {
            return Refused(broken.Message);
        }

        long? Refused(string why)
        {
            notes.Add($"{path}: {why}; parameters not counted");
            return null;
        }
    }

    private sealed class FileSource(IModelFiles files, ArtifactPath path) : IByteSource
    {
        public long Length { get; } = files.SizeOf(path) ?? 0;

        public int ReadAt(long offset, Span<byte> buffer) => files.ReadAt(path, offset, buffer);
    }
}
