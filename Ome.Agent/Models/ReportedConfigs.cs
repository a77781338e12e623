using System.Text.Json;
using System.Text.Json.Nodes;
using Ome.Shared.Domain.Metadata;
using Ome.Shared.Domain.Reporting;

namespace Ome.Agent.Models;

/// <summary>What the files say of a model, as the entry carries it (contract 3.2 <c>config</c>, 6.8, 6.9).</summary>
public static class ReportedConfigs
{
    public static ReportedConfig Of(ModelMetadata model, ReportedArtifact artifact) => new()
    {
        ModelType = model.ModelType,
        ModelArchitecture = model.ModelArchitecture,
        ModelFramework = Named(model.ModelFramework),
        ModelFormat = Named(model.ModelFormat),
        ModelParameterSize = model.ModelParameterSize,
        MaxTokens = model.MaxTokens,
        ModelCapabilities = [.. model.ModelCapabilities],
        DecodedModelConfiguration = Element(Decoded(model.Configuration)),
        Quantization = model.Quantization,
        DiffusionPipeline = model.DiffusionPipeline is { } pipeline ? Element(Pipeline(pipeline)) : null,
        Artifact = artifact,
    };

    private static NameAndVersion? Named(NamedVersion? value) => value is null ? null : new NameAndVersion { Name = value.Name, Version = value.Version };

    private static JsonObject Decoded(ModelConfiguration facts) => new()
    {
        ["model_type"] = facts.ModelType,
        ["architecture"] = facts.Architecture,
        ["context_length"] = facts.ContextLength,
        ["parameter_count"] = facts.ParameterCount,
        ["has_vision"] = facts.HasVision,
        ["is_embedding"] = facts.IsEmbedding,
        ["transformers_version"] = facts.TransformersVersion,
        ["torch_dtype"] = facts.TorchDtype,
        ["model_size_bytes"] = facts.ModelSizeBytes,
    };

    private static JsonObject Pipeline(DiffusionPipeline pipeline)
    {
        var json = new JsonObject();
        if (pipeline.ClassName is { } name) json["className"] = name;
        Add("scheduler", pipeline.Scheduler);
        Add("textEncoder", pipeline.TextEncoder);
        Add("tokenizer", pipeline.Tokenizer);
        Add("transformer", pipeline.Transformer);
        Add("vae", pipeline.Vae);
        if (pipeline.AdditionalComponents.Count > 0)
        {
            json["additionalComponents"] = new JsonObject(pipeline.AdditionalComponents.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, Component(pair.Value))));
        }

        return json;

        void Add(string member, DiffusionComponent? component)
        {
            if (component is not null) json[member] = Component(component);
        }
    }

    private static JsonObject Component(DiffusionComponent component)
    {
        var json = new JsonObject();
        if (component.Library is { } library) json["library"] = library;
        if (component.Type is { } type) json["type"] = type;
        return json;
    }

    private static JsonElement Element(JsonObject json) => JsonSerializer.SerializeToElement(json, RecordJson.Default.JsonObject);
}
