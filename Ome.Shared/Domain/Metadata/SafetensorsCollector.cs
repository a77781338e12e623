using System.Collections.Immutable;
using System.Text.Json;

namespace Ome.Shared.Domain.Metadata;

/// <summary>Turns the tokens of a safetensors header into tensors; one instance per header.</summary>
internal sealed class SafetensorsCollector(long dataOffset)
{
    private const int MaxMetadataValue = 4096;

    private readonly HashSet<string> _names = [];
    private readonly List<long> _numbers = [];
    private readonly List<string> _metadataNames = [];
    private string? _name;
    private Field _field;
    private string? _type;
    private string? _lastType;
    private ImmutableArray<long>? _shape;
    private (long Begin, long End)? _offsets;
    private long _retained;

    private enum Field
    {
        Unknown,
        Type,
        Shape,
        Offsets,
    }

    public List<TensorInfo> Tensors { get; } = [];

    public ImmutableSortedDictionary<string, string>.Builder Metadata { get; } = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);

    private bool InMetadata => _name == "__metadata__";

    public StructureProblem? Take(ref Utf8JsonReader reader)
    {
        switch (reader.CurrentDepth)
        {
            case 0:
                return reader.TokenType is JsonTokenType.StartObject or JsonTokenType.EndObject
                    ? null
                    : StructureProblem.Broken("the header is not a JSON object");
            case 1:
                return reader.TokenType switch
                {
                    JsonTokenType.PropertyName => Begin(reader.GetString()!),
                    JsonTokenType.StartObject => null,
                    JsonTokenType.EndObject => End(),
                    _ => StructureProblem.Broken($"'{Short(_name)}' is not an object"),
                };
            case 2 when InMetadata:
                return TakeMetadata(ref reader);
            default:
                return InMetadata ? StructureProblem.Broken("'__metadata__' holds something that is not text") : TakeField(ref reader);
        }
    }

    private StructureProblem? Begin(string name)
    {
        _name = name;
        (_type, _shape, _offsets) = (null, null, null);
        _retained += 200 + (4L * name.Length);
        if (_retained > SafetensorsHeader.MaxRetainedBytes) return StructureProblem.NotExamined($"more than {Tensors.Count} tensors");
        return _names.Add(name) ? null : StructureProblem.Broken($"tensor '{Short(name)}' is listed twice");
    }

    private StructureProblem? TakeMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.PropertyName)
        {
            _metadataNames.Clear();
            if (reader.ValueSpan.Length <= MaxMetadataValue) _metadataNames.Add(reader.GetString()!);
            return null;
        }

        if (reader.TokenType != JsonTokenType.String) return StructureProblem.Broken("'__metadata__' holds something that is not text");
        if (_metadataNames is [var key] && reader.ValueSpan.Length <= MaxMetadataValue && Metadata.Count < 1000) Metadata[key] = reader.GetString()!;
        return null;
    }

    private StructureProblem? TakeField(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                _numbers.Clear();
                _field = reader.ValueTextEquals("dtype"u8) ? Field.Type
                    : reader.ValueTextEquals("shape"u8) ? Field.Shape
                    : reader.ValueTextEquals("data_offsets"u8) ? Field.Offsets
                    : Field.Unknown;
                return _field == Field.Unknown ? Wrong($"an unknown member '{Short(reader.GetString())}'") : null;
            case JsonTokenType.String when _field == Field.Type && reader.CurrentDepth == 2:
                if (reader.ValueSpan.Length > 64) return Wrong("a dtype longer than 64 bytes");
                // Nearly all tensors of a file share a type: one string serves them.
                _type = _lastType is not null && reader.ValueTextEquals(_lastType) ? _lastType : _lastType = reader.GetString()!;
                return null;
            case JsonTokenType.StartArray when _field is Field.Shape or Field.Offsets && reader.CurrentDepth == 2:
                return null;
            case JsonTokenType.Number when _field is Field.Shape or Field.Offsets && reader.CurrentDepth == 3:
                if (!reader.TryGetInt64(out var number) || number < 0) return Wrong("a number that is not a size");
                if (_numbers.Count >= 64) return Wrong("more than 64 dimensions");
                _numbers.Add(number);
                return null;
            case JsonTokenType.EndArray when reader.CurrentDepth == 2:
                return EndArray();
            default:
                return Wrong($"{reader.TokenType} where it does not belong");
        }
    }

    private StructureProblem? EndArray()
    {
        if (_field == Field.Shape)
        {
            _retained += 8L * _numbers.Count;
            _shape = [.. _numbers];
            return null;
        }

        if (_numbers is not [var begin, var end] || begin > end || end > long.MaxValue - dataOffset) return Wrong("data_offsets that are not [begin, end]");
        _offsets = (begin, end);
        return null;
    }

    private StructureProblem? End()
    {
        if (InMetadata) return null;
        if (_type is null || _shape is not { } shape || _offsets is not var (begin, end)) return Wrong("no dtype, shape or data_offsets");
        Tensors.Add(new TensorInfo(_name!, _type, shape, dataOffset + begin, end - begin));
        return null;
    }

    private StructureProblem Wrong(string what) => StructureProblem.Broken($"tensor '{Short(_name)}' has {what}");

    private static string Short(string? name) => name is { Length: > 100 } ? name[..100] + "…" : name ?? "";
}
