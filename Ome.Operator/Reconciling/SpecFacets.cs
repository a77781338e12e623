using System.Text.Json.Nodes;
using Ome.Shared.Api;
using Ome.Shared.Domain.Aggregation;

namespace Ome.Operator.Reconciling;

/// <summary>Spec ⇄ <see cref="SpecFacts"/>: what an author or an earlier fill has set, and a fill as a merge patch.</summary>
public static class SpecFacets
{
    /// <summary>What the spec has; an empty format name counts as unset (contract 1.3).</summary>
    public static SpecFacts Of(BaseModelSpec? spec) => spec is null ? SpecFacts.Nothing : new SpecFacts
    {
        ModelType = spec.ModelType,
        ModelArchitecture = spec.ModelArchitecture,
        ModelParameterSize = spec.ModelParameterSize,
        Quantization = spec.Quantization,
        FrameworkName = spec.ModelFramework?.Name,
        FrameworkVersion = spec.ModelFramework?.Version,
        FormatName = string.IsNullOrEmpty(spec.ModelFormat?.Name) ? null : spec.ModelFormat.Name,
        FormatVersion = spec.ModelFormat?.Version,
        MaxTokens = spec.MaxTokens,
        Capabilities = SpecFacts.Join(spec.ModelCapabilities),
        ConfigurationJson = spec.ModelConfiguration is null ? null : "set",
        DiffusionPipelineJson = spec.DiffusionPipeline is null ? null : "set",
    };

    /// <summary>A plan as the spec of a merge patch.</summary>
    public static JsonObject Patch(SpecFacts plan)
    {
        var spec = new JsonObject();
        Set(spec, "modelType", plan.ModelType);
        Set(spec, "modelArchitecture", plan.ModelArchitecture);
        Set(spec, "modelParameterSize", plan.ModelParameterSize);
        Set(spec, "quantization", plan.Quantization);
        Set(spec, "maxTokens", plan.MaxTokens);
        Set(spec, "modelFramework", Named(plan.FrameworkName, plan.FrameworkVersion));
        Set(spec, "modelFormat", Named(plan.FormatName, plan.FormatVersion));
        if (plan.Capabilities is not null) Set(spec, "modelCapabilities", new JsonArray([.. plan.CapabilityList.Select(static one => (JsonNode?)one)]));
        if (plan.ConfigurationJson is { } configuration) Set(spec, "modelConfiguration", JsonNode.Parse(configuration));
        if (plan.DiffusionPipelineJson is { } pipeline) Set(spec, "diffusionPipeline", JsonNode.Parse(pipeline));
        return spec;
    }

    private static JsonObject? Named(string? name, string? version)
    {
        var named = new JsonObject();
        Set(named, "name", name);
        Set(named, "version", version);
        return named.Count == 0 ? null : named;
    }

    private static void Set(JsonObject json, string member, JsonNode? value)
    {
        if (value is not null) json[member] = value;
    }
}
