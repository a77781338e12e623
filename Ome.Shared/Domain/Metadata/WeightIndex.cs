using System.Collections.Immutable;
using System.Text.Json;
using Ome.Shared.Domain.Manifests;

namespace Ome.Shared.Domain.Metadata;

/// <summary>An index of sharded weights (<c>model.safetensors.index.json</c> and its kin): which files hold the tensors.</summary>
/// <param name="Shards">Files beside the index, sorted, each once.</param>
/// <param name="Tensors">Number of tensors listed.</param>
/// <param name="TotalSize">Bytes of all tensors as the index claims; null when it does not.</param>
public sealed record WeightIndex(ImmutableSortedSet<ArtifactPath> Shards, int Tensors, long? TotalSize)
{
    /// <summary>Largest index that is read; the largest known ones are near 10 MiB.</summary>
    public const long MaxBytes = 64L * 1024 * 1024;

    /// <summary>Most files an index may name.</summary>
    public const int MaxShards = 20_000;

    public static bool IsIndexName(string name) =>
        name.EndsWith(".safetensors.index.json", StringComparison.Ordinal) || name.EndsWith(".bin.index.json", StringComparison.Ordinal);

    public static Parsed<WeightIndex> Read(IByteSource source)
    {
        if (source.Length > MaxBytes) return StructureProblem.NotExamined($"an index of {source.Length} bytes is beyond {MaxBytes}");
        var shards = ImmutableSortedSet.CreateBuilder<ArtifactPath>();
        var (section, tensors, totalNext, mapSeen) = ("", 0, false, false);
        long? totalSize = null;

        StructureProblem? Take(ref Utf8JsonReader reader)
        {
            if (reader.CurrentDepth == 0)
                return reader.TokenType is JsonTokenType.StartObject or JsonTokenType.EndObject ? null : StructureProblem.Broken("the index is not a JSON object");
            if (reader is { CurrentDepth: 1, TokenType: JsonTokenType.PropertyName })
            {
                section = reader.ValueTextEquals("weight_map"u8) ? "weight_map" : reader.ValueTextEquals("metadata"u8) ? "metadata" : "";
                mapSeen |= section == "weight_map";
            }
            else if (section == "weight_map") return TakeMap(ref reader);
            else if (section == "metadata" && reader.CurrentDepth == 2) TakeMetadata(ref reader);

            return null;
        }

        StructureProblem? TakeMap(ref Utf8JsonReader reader)
        {
            if (reader is { CurrentDepth: 1, TokenType: JsonTokenType.StartObject or JsonTokenType.EndObject }) return null;
            if (reader is { CurrentDepth: 2, TokenType: JsonTokenType.PropertyName }) return null;
            if (reader is not { CurrentDepth: 2, TokenType: JsonTokenType.String }) return StructureProblem.Broken("'weight_map' is not a map of tensor to file");
            tensors++;
            if (reader.ValueSpan.Length > ArtifactPath.MaxPathBytes) return StructureProblem.Broken("'weight_map' names a file longer than a path can be");
            var text = reader.GetString();
            if (!ArtifactPath.TryParse(text, out var shard, out var refusal)) return StructureProblem.Broken($"'weight_map' names '{text}': {refusal}");
            shards.Add(shard);
            return shards.Count > MaxShards ? StructureProblem.NotExamined($"more than {MaxShards} shards") : null;
        }

        void TakeMetadata(ref Utf8JsonReader reader)
        {
            if (reader.TokenType == JsonTokenType.PropertyName) totalNext = reader.ValueTextEquals("total_size"u8);
            else if (totalNext && reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var size) && size is >= 0 and < 9e18) totalSize = (long)size;
        }

        if (JsonTokens.Read(source, 0, source.Length, Take) is { } problem) return problem;
        return mapSeen ? new WeightIndex(shards.ToImmutable(), tensors, totalSize) : StructureProblem.Broken("the index has no 'weight_map'");
    }
}
