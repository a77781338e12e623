using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ome.Shared.Domain.Reporting;

/// <summary>
/// What one node says of one model: one value of a node ConfigMap (contract 3.2, additive members of design 6). Members of versions newer than
/// ours are kept and written back. Instances are values: change one with the methods below or <c>with</c>.
/// </summary>
public sealed record NodeModelEntry
{
    /// <summary>The model's own, untruncated name, without namespace.</summary>
    [JsonPropertyName("name")]
    [JsonPropertyOrder(0)]
    public string Name { get; init => field = value ?? string.Empty; } = string.Empty;

    /// <summary>Status as on the wire; empty when the entry has none.</summary>
    [JsonPropertyName("status")]
    [JsonPropertyOrder(1)]
    public string Status { get; init => field = value ?? string.Empty; } = string.Empty;

    /// <summary>What the agent read from the model's files; null when it has not.</summary>
    [JsonPropertyName("config")]
    [JsonPropertyOrder(2)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ReportedConfig? Config { get; init; }

    /// <summary>Download progress; absent once the model is Ready or Failed.</summary>
    [JsonPropertyName("progress")]
    [JsonPropertyOrder(3)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DownloadProgress? Progress { get; init; }

    /// <summary>Source the files on the node come from; null in entries of agents that do not say (additive).</summary>
    [JsonPropertyName("storageUri")]
    [JsonPropertyOrder(4)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? StorageUri { get; init => field = Text.OrNull(value); }

    /// <summary>Directory of the files on the node; null in entries of agents that do not say (additive).</summary>
    [JsonPropertyName("storagePath")]
    [JsonPropertyOrder(5)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? StoragePath { get; init => field = Text.OrNull(value); }

    /// <summary>Outcome of the newest integrity check; null when there was none (additive).</summary>
    [JsonPropertyName("validation")]
    [JsonPropertyOrder(6)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ReportedValidation? Validation { get; init; }

    /// <summary>Members we do not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }

    /// <summary><see cref="Status"/> as a state.</summary>
    [JsonIgnore]
    public NodeModelState State => NodeModelStates.FromWire(Status);

    /// <summary>A new entry that says only a state.</summary>
    public static NodeModelEntry Of(string name, NodeModelState state) => new() { Name = name, Status = state.ToWire() };

    /// <summary>The entry after a change of state: everything else stays, progress goes once the model is Ready or Failed (contract 3.5).</summary>
    public static NodeModelEntry WithStatus(NodeModelEntry? entry, string name, NodeModelState state)
    {
        if (entry is null) return Of(name, state);
        var ended = state is NodeModelState.Ready or NodeModelState.Failed;
        return entry with { Name = entry.Name.Length == 0 ? name : entry.Name, Status = state.ToWire(), Progress = ended ? null : entry.Progress };
    }

    /// <summary>The entry after the configuration was read: replaced as a whole; a new entry is Ready (contract 3.5).</summary>
    public static NodeModelEntry WithConfig(NodeModelEntry? entry, string name, ReportedConfig config) =>
        (entry ?? Of(name, NodeModelState.Ready)) with { Config = config };

    /// <summary>The entry after progress: replaced as a whole; a new entry is Updating (contract 3.5).</summary>
    public static NodeModelEntry WithProgress(NodeModelEntry? entry, string name, DownloadProgress progress) =>
        (entry ?? Of(name, NodeModelState.Updating)) with { Progress = progress };
}

/// <summary>What an agent read from a model's files (contract 3.2 <c>config</c>, 6.3). Empty texts, zeros and empty lists are left out on the wire.</summary>
public sealed record ReportedConfig
{
    /// <summary><c>model_type</c>, or <c>diffusers</c>.</summary>
    [JsonPropertyName("modelType")]
    [JsonPropertyOrder(0)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ModelType { get; init => field = Text.OrNull(value); }

    /// <summary>First of <c>architectures</c>, or the pipeline class.</summary>
    [JsonPropertyName("modelArchitecture")]
    [JsonPropertyOrder(1)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ModelArchitecture { get; init => field = Text.OrNull(value); }

    /// <summary>E.g. transformers and its version.</summary>
    [JsonPropertyName("modelFramework")]
    [JsonPropertyOrder(2)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public NameAndVersion? ModelFramework { get; init => field = value is { IsEmpty: true } ? null : value; }

    /// <summary>E.g. safetensors and its version.</summary>
    [JsonPropertyName("modelFormat")]
    [JsonPropertyOrder(3)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public NameAndVersion? ModelFormat { get; init => field = value is { IsEmpty: true } ? null : value; }

    /// <summary>Human form, e.g. <c>8.03B</c>.</summary>
    [JsonPropertyName("modelParameterSize")]
    [JsonPropertyOrder(4)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ModelParameterSize { get; init => field = Text.OrNull(value); }

    /// <summary>Context length in tokens; 0 when not known.</summary>
    [JsonPropertyName("maxTokens")]
    [JsonPropertyOrder(5)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [JsonConverter(typeof(NullIsZeroInt32))]
    public int MaxTokens { get; init; }

    /// <summary>Contract 1.6.</summary>
    [JsonPropertyName("modelCapabilities")]
    [JsonPropertyOrder(6)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? ModelCapabilities { get; init => field = value is { Count: 0 } ? null : value; }

    /// <summary>Contract 1.6; agents do not fill it.</summary>
    [JsonPropertyName("apiCapabilities")]
    [JsonPropertyOrder(7)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? ApiCapabilities { get; init => field = value is { Count: 0 } ? null : value; }

    /// <summary>The object of contract 6.8; becomes <c>spec.modelConfiguration</c>.</summary>
    [JsonPropertyName("decodedModelConfiguration")]
    [JsonPropertyOrder(8)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? DecodedModelConfiguration { get; init => field = IsEmptyObject(value) ? null : value; }

    /// <summary><c>int4</c> or <c>fp8</c>.</summary>
    [JsonPropertyName("quantization")]
    [JsonPropertyOrder(9)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Quantization { get; init => field = Text.OrNull(value); }

    /// <summary>Components of a diffusion model, shaped as <c>spec.diffusionPipeline</c> (contract 1.5; additive: OME's agent wrote it to the spec itself).</summary>
    [JsonPropertyName("diffusionPipeline")]
    [JsonPropertyOrder(10)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? DiffusionPipeline { get; init => field = IsEmptyObject(value) ? null : value; }

    /// <summary>Identity and sharing of the files; always written when there is a config.</summary>
    [JsonPropertyName("artifact")]
    [JsonPropertyOrder(11)]
    public ReportedArtifact Artifact { get; init => field = value ?? new(); } = new();

    /// <summary>Members we do not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }

    private static bool IsEmptyObject(JsonElement? element)
    {
        if (element is not { } value || value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined) return true;
        return value.ValueKind == JsonValueKind.Object && value.GetPropertyCount() == 0;
    }
}

/// <summary>A name with an optional version.</summary>
public sealed record NameAndVersion
{
    /// <summary>Name; null when empty.</summary>
    [JsonPropertyName("name")]
    [JsonPropertyOrder(0)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init => field = Text.OrNull(value); }

    /// <summary>Version; null when not known.</summary>
    [JsonPropertyName("version")]
    [JsonPropertyOrder(1)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Version { get; init => field = Text.OrNull(value); }

    /// <summary>Members we do not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }

    /// <summary>Nothing is said.</summary>
    [JsonIgnore]
    public bool IsEmpty => Name is null && Version is null && Unknown is not { Count: > 0 };
}

/// <summary>Identity of an artifact and who shares it (contract 3.2, 4.9). Wrong types in the two path members read as absent (contract A09, A14).</summary>
public sealed record ReportedArtifact
{
    /// <summary>Commit of the hub; empty for other sources.</summary>
    [JsonPropertyName("sha")]
    [JsonPropertyOrder(0)]
    public string Sha { get; init => field = value ?? string.Empty; } = string.Empty;

    /// <summary>Exactly one pair: data key of the model that owns the files, and their directory; or null.</summary>
    [JsonPropertyName("parentPath")]
    [JsonPropertyOrder(1)]
    [JsonConverter(typeof(LenientStringMap))]
    public IReadOnlyDictionary<string, string>? ParentPath { get; init; }

    /// <summary>Directories that link to these files, or null.</summary>
    [JsonPropertyName("childrenPaths")]
    [JsonPropertyOrder(2)]
    [JsonConverter(typeof(LenientStringList))]
    public IReadOnlyList<string>? ChildrenPaths { get; init; }

    /// <summary>Members we do not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

/// <summary>Progress of a download (contract 3.2 <c>progress</c>); every member is always written.</summary>
public sealed record DownloadProgress
{
    /// <summary><c>scanning</c>, <c>downloading</c>, <c>finalizing</c> or <c>unknown</c>.</summary>
    [JsonPropertyName("phase")]
    [JsonPropertyOrder(0)]
    public string Phase { get; init => field = value ?? "unknown"; } = "unknown";

    /// <summary>Bytes of the whole model.</summary>
    [JsonPropertyName("totalBytes")]
    [JsonPropertyOrder(1)]
    [JsonConverter(typeof(NullIsZeroUInt64))]
    public ulong TotalBytes { get; init; }

    /// <summary>Bytes done.</summary>
    [JsonPropertyName("completedBytes")]
    [JsonPropertyOrder(2)]
    [JsonConverter(typeof(NullIsZeroUInt64))]
    public ulong CompletedBytes { get; init; }

    /// <summary>Files of the whole model.</summary>
    [JsonPropertyName("totalFiles")]
    [JsonPropertyOrder(3)]
    [JsonConverter(typeof(NullIsZeroUInt32))]
    public uint TotalFiles { get; init; }

    /// <summary>Files done.</summary>
    [JsonPropertyName("completedFiles")]
    [JsonPropertyOrder(4)]
    [JsonConverter(typeof(NullIsZeroUInt32))]
    public uint CompletedFiles { get; init; }

    /// <summary>Bytes per second; finite.</summary>
    [JsonPropertyName("speedBytesPerSec")]
    [JsonPropertyOrder(5)]
    [JsonConverter(typeof(NullIsZeroDouble))]
    public double SpeedBytesPerSec { get; init => field = double.IsFinite(value) ? value : 0; }

    /// <summary>When this was taken; whole seconds, UTC.</summary>
    [JsonPropertyName("lastUpdated")]
    [JsonPropertyOrder(6)]
    [JsonConverter(typeof(WireTime))]
    public DateTimeOffset LastUpdated { get; init; }

    /// <summary>Members we do not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}

internal static class Text
{
    public static string? OrNull(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
