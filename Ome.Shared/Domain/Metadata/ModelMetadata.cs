using System.Collections.Immutable;

namespace Ome.Shared.Domain.Metadata;

/// <summary>A name with an optional version, as <c>modelFormat</c> and <c>modelFramework</c> have it.</summary>
public sealed record NamedVersion(string Name, string? Version);

/// <summary>A part of a diffusion pipeline (contract 6.9).</summary>
public sealed record DiffusionComponent(string? Library, string? Type);

/// <summary>The pipeline of a <c>model_index.json</c> (contract 1.5, 6.9).</summary>
public sealed record DiffusionPipeline(string? ClassName)
{
    public DiffusionComponent? Scheduler { get; init; }
    public DiffusionComponent? TextEncoder { get; init; }
    public DiffusionComponent? Tokenizer { get; init; }
    public DiffusionComponent? Transformer { get; init; }
    public DiffusionComponent? Vae { get; init; }
    public ImmutableSortedDictionary<string, DiffusionComponent> AdditionalComponents { get; init; } =
        ImmutableSortedDictionary<string, DiffusionComponent>.Empty.WithComparers(StringComparer.Ordinal);
}

/// <summary>
/// The free-form facts of contract 6.8: <c>config.decodedModelConfiguration</c> in the entry, <c>spec.modelConfiguration</c> in the CR. The size in
/// bytes is parameters × bytes per element.
/// </summary>
public sealed record ModelConfiguration(
    string ModelType,
    string Architecture,
    int ContextLength,
    string ParameterCount,
    bool HasVision,
    bool IsEmbedding,
    string TransformersVersion,
    string TorchDtype,
    long ModelSizeBytes);

/// <summary>What the files say of the model (contract 6.3).</summary>
public sealed record ModelMetadata
{
    public required string ModelType { get; init; }
    public required string ModelArchitecture { get; init; }

    /// <summary>As people write it: <c>8.03B</c>; <c>0</c> when unknown.</summary>
    public required string ModelParameterSize { get; init; }

    /// <summary>Context length in tokens; 0 when unknown.</summary>
    public required int MaxTokens { get; init; }
    public required NamedVersion ModelFormat { get; init; }
    public NamedVersion? ModelFramework { get; init; }

    /// <summary><c>int4</c>, <c>fp8</c> or null.</summary>
    public string? Quantization { get; init; }
    public required ImmutableArray<string> ModelCapabilities { get; init; }
    public required ModelConfiguration Configuration { get; init; }
    public DiffusionPipeline? DiffusionPipeline { get; init; }

    /// <summary>What was odd on the way: a count that fell back to the table, a field of the wrong type. For logs and Events.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];
}

/// <summary>Metadata, or the reason why there is none. Neither ever keeps a model from becoming Ready.</summary>
public sealed record MetadataResult
{
    private MetadataResult(ModelMetadata? metadata, string? reason)
    {
        Metadata = metadata;
        Reason = reason;
    }

    public ModelMetadata? Metadata { get; }

    public string? Reason { get; }

    public static MetadataResult Of(ModelMetadata metadata) => new(metadata, null);

    public static MetadataResult None(string reason) => new(null, reason);
}
