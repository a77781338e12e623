using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Metadata;

namespace Ome.Shared.Domain.Verification;

/// <summary>What a file is to a structure check, told by its name.</summary>
public enum FileRole
{
    /// <summary>Nothing we know rules of.</summary>
    Other,

    /// <summary>JSON that an engine parses before it loads weights.</summary>
    Config,

    /// <summary>Names the shards of the weights.</summary>
    WeightIndex,

    Safetensors,
    Gguf,

    /// <summary>Weights without a header we check: pickles, ONNX, NumPy.</summary>
    OpaqueWeights,
}

/// <summary>What a look at a file's structure gave.</summary>
/// <param name="Problem">The rule that is broken, or why it was not examined; null when all holds.</param>
/// <param name="Index">The shards it names, when the file is a readable index.</param>
public sealed record StructureExamination(StructureProblem? Problem, WeightIndex? Index = null)
{
    /// <summary>True when the file speaks against itself; "not examined" does not.</summary>
    public bool IsBroken => Problem is { Kind: StructureProblemKind.Broken };
}

/// <summary>
/// Rules that a file's own bytes must satisfy, whatever a manifest says: a few reads at its start and end, bounded memory.
/// A broken rule is a suspicion where a content digest exists (the digest decides), and the best evidence where none does.
/// </summary>
public static class StructureCheck
{
    /// <summary>Bytes at the end of a weight file that must not all be zero.</summary>
    public const int TailBytes = 1024 * 1024;

    private const int MaxPointerBytes = 1024;
    private const long MaxConfigBytes = 64L * 1024 * 1024;
    private const int StepBytes = 64 * 1024;

    public static FileRole RoleOf(ArtifactPath path)
    {
        var name = path.Name;
        if (WeightIndex.IsIndexName(name)) return FileRole.WeightIndex;
        if (name is "config.json" or "generation_config.json" or "tokenizer_config.json" or "model_index.json" or "params.json"
            or "preprocessor_config.json" or "special_tokens_map.json" or "adapter_config.json") return FileRole.Config;
        return Path.GetExtension(name) switch
        {
            ".safetensors" => FileRole.Safetensors,
            ".gguf" => FileRole.Gguf,
            ".bin" or ".pt" or ".pth" or ".ckpt" or ".onnx" or ".onnx_data" or ".npz" or ".npy" or ".msgpack" or ".h5" or ".tflite" => FileRole.OpaqueWeights,
            _ => FileRole.Other,
        };
    }

    /// <summary>Looks at one file; exceptions are only those of <paramref name="source"/>.</summary>
    public static StructureExamination Examine(FileRole role, IByteSource source)
    {
        if (role == FileRole.Other) return new(null);
        if (IsLfsPointer(source)) return new(StructureProblem.Broken("a Git LFS pointer lies where the content belongs", 0));
        return role switch
        {
            FileRole.Config => new(ParseConfig(source)),
            FileRole.WeightIndex => ReadIndex(source),
            FileRole.Safetensors => new(SafetensorsHeader.Read(source).Problem ?? CheckTail(source)),
            FileRole.Gguf => new(GgufHeader.Read(source).Problem ?? CheckTail(source)),
            _ => new(CheckTail(source)),
        };
    }

    private static StructureExamination ReadIndex(IByteSource source)
    {
        var index = WeightIndex.Read(source);
        return new(index.Problem, index.Value);
    }

    private static StructureProblem? ParseConfig(IByteSource source) => source.Length switch
    {
        0 => StructureProblem.Broken("the file is empty", 0),
        > MaxConfigBytes => StructureProblem.NotExamined($"a configuration of {source.Length} bytes"),
        _ => JsonTokens.Read(source, 0, source.Length, static (ref reader) => null),
    };

    private static bool IsLfsPointer(IByteSource source)
    {
        if (source.Length is 0 or > MaxPointerBytes) return false;
        var expected = "version https://git-lfs.github.com/spec/"u8;
        Span<byte> start = stackalloc byte[expected.Length];
        return source.ReadAt(0, start) == start.Length && start.SequenceEqual(expected);
    }

    /// <summary>A preallocated file whose end was never written has the right size and zeros there.</summary>
    private static StructureProblem? CheckTail(IByteSource source)
    {
        if (source.Length < TailBytes) return null;
        var buffer = new byte[StepBytes];
        // Backwards: an intact file answers with the first step.
        for (var end = source.Length; end > source.Length - TailBytes;)
        {
            var start = Math.Max(end - StepBytes, source.Length - TailBytes);
            var wanted = buffer.AsSpan(0, (int)(end - start));
            for (var held = 0; held < wanted.Length;)
            {
                var got = source.ReadAt(start + held, wanted[held..]);
                if (got == 0) return StructureProblem.Broken($"the file ends before its {source.Length} bytes", start + held);
                held += got;
            }

            if (wanted.ContainsAnyExcept((byte)0)) return null;
            end = start;
        }

        return StructureProblem.Broken($"the last {TailBytes} bytes are all zero", source.Length - TailBytes);
    }
}
