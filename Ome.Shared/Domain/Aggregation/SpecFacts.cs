using Ome.Shared.Domain.Reporting;

namespace Ome.Shared.Domain.Aggregation;

/// <summary>
/// What the files say of a model and a spec can hold: reported by a node, present in a spec, or to be written. Null means unset everywhere.
/// </summary>
public sealed record SpecFacts
{
    /// <summary><c>spec.modelType</c>.</summary>
    public string? ModelType { get; init; }

    /// <summary><c>spec.modelArchitecture</c>.</summary>
    public string? ModelArchitecture { get; init; }

    /// <summary><c>spec.modelParameterSize</c>.</summary>
    public string? ModelParameterSize { get; init; }

    /// <summary><c>spec.quantization</c>.</summary>
    public string? Quantization { get; init; }

    /// <summary><c>spec.modelFramework.name</c>; in a spec also set (to any text) when the object is present without a name.</summary>
    public string? FrameworkName { get; init; }

    /// <summary><c>spec.modelFramework.version</c>.</summary>
    public string? FrameworkVersion { get; init; }

    /// <summary><c>spec.modelFormat.name</c>; an empty name on the wire is unset (contract 1.3).</summary>
    public string? FormatName { get; init; }

    /// <summary><c>spec.modelFormat.version</c>.</summary>
    public string? FormatVersion { get; init; }

    /// <summary><c>spec.maxTokens</c>, above 0.</summary>
    public int? MaxTokens { get; init; }

    /// <summary><c>spec.modelCapabilities</c>, joined with commas so that facts compare as values.</summary>
    public string? Capabilities { get; init; }

    /// <summary><c>spec.modelConfiguration</c> as JSON.</summary>
    public string? ConfigurationJson { get; init; }

    /// <summary><c>spec.diffusionPipeline</c> as JSON.</summary>
    public string? DiffusionPipelineJson { get; init; }

    /// <summary><see cref="Capabilities"/> as a list.</summary>
    public IReadOnlyList<string> CapabilityList => Capabilities?.Split(',') ?? [];

    /// <summary>Joins capabilities; null when there are none.</summary>
    public static string? Join(IReadOnlyList<string?>? capabilities)
    {
        if (capabilities is not { Count: > 0 }) return null;
        var joined = string.Join(',', capabilities.Where(static one => !string.IsNullOrEmpty(one)));
        return joined.Length == 0 ? null : joined;
    }

    /// <summary>The facts of a reported configuration; null when it says none of them.</summary>
    public static SpecFacts? Of(ReportedConfig? config)
    {
        if (config is null) return null;
        var facts = new SpecFacts
        {
            ModelType = config.ModelType,
            ModelArchitecture = config.ModelArchitecture,
            ModelParameterSize = config.ModelParameterSize,
            Quantization = config.Quantization,
            FrameworkName = config.ModelFramework?.Name,
            // A version without a name says nothing (contract C12).
            FrameworkVersion = config.ModelFramework?.Name is null ? null : config.ModelFramework.Version,
            FormatName = config.ModelFormat?.Name,
            FormatVersion = config.ModelFormat?.Version,
            MaxTokens = config.MaxTokens > 0 ? config.MaxTokens : null,
            Capabilities = Join(config.ModelCapabilities),
            ConfigurationJson = config.DecodedModelConfiguration?.GetRawText(),
            DiffusionPipelineJson = config.DiffusionPipeline?.GetRawText(),
        };
        return facts == Nothing ? null : facts;
    }

    /// <summary>No fact at all.</summary>
    public static SpecFacts Nothing { get; } = new();
}

/// <summary>Fills a spec from reported facts: only what is unset, never what an author wrote (contract 6.10, W24).</summary>
public static class SpecFill
{
    /// <summary>The members to write, or null when there are none.</summary>
    /// <param name="current">What the spec has.</param>
    /// <param name="reported">What a node reports, or null.</param>
    public static SpecFacts? Plan(SpecFacts current, SpecFacts? reported)
    {
        if (reported is null) return null;
        var framework = current.FrameworkName is null && current.FrameworkVersion is null;
        var plan = new SpecFacts
        {
            ModelType = current.ModelType is null ? reported.ModelType : null,
            ModelArchitecture = current.ModelArchitecture is null ? reported.ModelArchitecture : null,
            ModelParameterSize = current.ModelParameterSize is null ? reported.ModelParameterSize : null,
            Quantization = current.Quantization is null ? reported.Quantization : null,
            FrameworkName = framework ? reported.FrameworkName : null,
            FrameworkVersion = framework ? reported.FrameworkVersion : null,
            FormatName = current.FormatName is null ? reported.FormatName : null,
            FormatVersion = current.FormatVersion is null ? reported.FormatVersion : null,
            MaxTokens = current.MaxTokens is null ? reported.MaxTokens : null,
            Capabilities = current.Capabilities is null ? reported.Capabilities : null,
            ConfigurationJson = current.ConfigurationJson is null ? reported.ConfigurationJson : null,
            DiffusionPipelineJson = current.DiffusionPipelineJson is null ? reported.DiffusionPipelineJson : null,
        };
        return plan == SpecFacts.Nothing ? null : plan;
    }
}
