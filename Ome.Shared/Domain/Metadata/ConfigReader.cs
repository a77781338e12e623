using System.Text.Json;
using Ome.Shared.Domain.Manifests;

namespace Ome.Shared.Domain.Metadata;

/// <summary>
/// Config JSON → <see cref="ModelMetadata"/> (contract section 6): one way for all models, rows of <see cref="ModelFamilies"/> for the known
/// ones. Whatever is wrong ends as a reason or a note; nothing here keeps a model from becoming Ready.
/// </summary>
public static class ConfigReader
{
    public static MetadataResult Read(IModelFiles files)
    {
        try
        {
            if (ConfigLocator.Find(files) is not { } path) return MetadataResult.None($"neither {ConfigLocator.DiffusionIndex} nor {ConfigLocator.Config} found");
            using var document = Load(files, path, out var refusal);
            if (document is null) return MetadataResult.None($"{path}: {refusal}");
            return path.Name == ConfigLocator.DiffusionIndex ? ReadDiffusion(files, path, document.RootElement) : ReadModel(files, path, document.RootElement);
        }
        catch (IOException broken)
        {
            return MetadataResult.None($"could not be read: {broken.Message}");
        }
    }

    private static MetadataResult ReadModel(IModelFiles files, ArtifactPath path, JsonElement root)
    {
        var notes = new List<string>();
        var facts = new ConfigFacts(root, notes);
        if (root.ValueKind != JsonValueKind.Object) return MetadataResult.None($"{path}: not a JSON object");
        if (facts.Text("model_type") is not { Length: > 0 } type) return MetadataResult.None($"{path}: no model_type");

        var family = ModelFamilies.Of(type);
        var architecture = facts.FirstText("architectures") ?? family.DefaultArchitecture ?? "";
        var folder = ConfigLocator.FolderOf(path);
        var count = ParameterCount.OfWeights(files, folder, notes) ?? SizeEstimate.Of(family, DimensionsOf(facts, family));
        var vision = family.Vision switch
        {
            VisionRule.Always => true,
            VisionRule.WithVisionConfig => facts.Has("vision_config"),
            VisionRule.WithImageProcessor => facts.Has("img_processor"),
            _ => false,
        };
        var embedding = family.Embedding || (family.EmbeddingBySentenceTransformers && HasSimilarity(files, folder));
        var method = family.ReadsQuantization ? QuantizationMethodOf(facts) : null;
        var context = ContextOf(facts, family);
        var version = facts.Anywhere("transformers_version") ?? "";
        var dtype = DtypeOf(facts, type, method);
        return MetadataResult.Of(new ModelMetadata
        {
            ModelType = type,
            ModelArchitecture = architecture,
            ModelParameterSize = ParameterText.Format(count),
            MaxTokens = context,
            ModelFormat = new NamedVersion("safetensors", "1.0.0"),
            ModelFramework = new NamedVersion("transformers", version.Length > 0 ? version : null),
            Quantization = QuantizationOf(method),
            ModelCapabilities = CapabilityRules.Of(new CapabilityFacts(type, architecture, IsDiffusion: false, vision, embedding)),
            Configuration = new ModelConfiguration(type, architecture, context, ParameterText.Format(count), vision, embedding, version, dtype, ParameterCount.Bytes(count, dtype)),
            Notes = [.. notes],
        });
    }

    private static MetadataResult ReadDiffusion(IModelFiles files, ArtifactPath path, JsonElement root)
    {
        if (DiffusionReader.Read(root) is not { } pipeline) return MetadataResult.None($"{path}: names neither a pipeline class nor a component");
        var notes = new List<string>();
        var folder = ConfigLocator.FolderOf(path);
        var architecture = pipeline.ClassName ?? "";
        var version = new ConfigFacts(root, notes).Text("_diffusers_version") ?? "";
        var count = ParameterCount.OfPipeline(files, folder, pipeline, notes);
        var encoder = ArtifactPath.Parse(folder + "text_encoder/config.json");
        using var encoderConfig = files.SizeOf(encoder) is null ? null : Load(files, encoder, out _);
        var encoderFacts = encoderConfig is { RootElement.ValueKind: JsonValueKind.Object } ? new ConfigFacts(encoderConfig.RootElement, notes) : null;
        var context = ToInt(encoderFacts?.Number("max_position_embeddings"));
        var dtype = encoderFacts?.Anywhere("torch_dtype", "dtype") ?? "";
        var capabilities = CapabilityRules.Of(new CapabilityFacts("diffusers", architecture, IsDiffusion: true, HasVision: false, IsEmbedding: false));
        return MetadataResult.Of(new ModelMetadata
        {
            ModelType = "diffusers",
            ModelArchitecture = architecture,
            ModelParameterSize = ParameterText.Format(count),
            MaxTokens = context,
            ModelFormat = new NamedVersion("diffusers", version.Length > 0 ? version : null),
            ModelFramework = new NamedVersion("diffusers", version.Length > 0 ? version : null),
            ModelCapabilities = capabilities,
            Configuration = new ModelConfiguration("diffusers", architecture, context, ParameterText.Format(count), HasVision: true, IsEmbedding: false, version, dtype, ParameterCount.Bytes(count, dtype)),
            DiffusionPipeline = pipeline,
            Notes = [.. notes],
        });
    }

    internal static JsonDocument? Load(IModelFiles files, ArtifactPath path, out string? refusal)
    {
        var size = files.SizeOf(path) ?? 0;
        refusal = size > LenientJson.MaxBytes ? $"{size} bytes are more than the {LenientJson.MaxBytes} that are read" : null;
        if (refusal is not null) return null;
        var bytes = new byte[size];
        var read = files.ReadAt(path, 0, bytes);
        return LenientJson.TryParse(bytes[..read], out refusal);
    }

    private static ModelDimensions DimensionsOf(ConfigFacts facts, ModelFamily family) => new(
        facts.Dimension(family.TextSection, "hidden_size", "d_model") ?? 0,
        facts.Dimension(family.TextSection, "num_hidden_layers", "n_layers", "num_layers") ?? 0,
        facts.Dimension(family.TextSection, "intermediate_size") ?? 0,
        facts.Dimension(family.TextSection, "vocab_size", "padded_vocab_size") ?? 0,
        facts.Dimension(family.TextSection, "n_routed_experts", "num_local_experts", "num_experts") ?? 0,
        facts.Section("vision_config")?.Number("num_hidden_layers") ?? 0);

    private static int ContextOf(ConfigFacts facts, ModelFamily family)
    {
        const string Mpe = "max_position_embeddings";
        return ToInt(family.Context switch
        {
            ContextSource.TextMaxPositionEmbeddings => facts.Dimension("text_config", Mpe),
            ContextSource.LanguageMaxPositionEmbeddings => facts.Section("language_config") is { } language ? language.Number(Mpe) ?? 4096 : 4096,
            ContextSource.SeqLengthElseMaxPositionEmbeddings => facts.Number("seq_length") ?? facts.Dimension(null, Mpe),
            ContextSource.SeqLength => facts.Number("seq_length"),
            ContextSource.MaxSeqLen => facts.Number("max_seq_len"),
            ContextSource.ModelMaxLengthElseMaxPositionEmbeddings => facts.Number("model_max_length") ?? facts.Dimension(null, Mpe),
            ContextSource.SlidingWindowTimesRope => SlidingWindow(facts),
            ContextSource.MaxPositionEmbeddingsElseMaxSequenceLength => facts.Dimension(null, Mpe) ?? facts.Number("max_sequence_length"),
            _ => facts.Dimension(null, Mpe),
        });
    }

    private static long SlidingWindow(ConfigFacts facts)
    {
        var text = facts.Section("text_config");
        if (text?.Number("sliding_window") is not { } window) return 8192;
        return text.Section("rope_scaling")?.Real("factor") is { } factor and > 0 && window * factor < int.MaxValue ? (long)(window * factor) : window;
    }

    private static int ToInt(long? value) => value is > 0 and <= int.MaxValue ? (int)value.Value : 0;

    private static bool HasSimilarity(IModelFiles files, string folder)
    {
        var path = ArtifactPath.Parse(folder + "config_sentence_transformers.json");
        if (files.SizeOf(path) is null) return false;
        using var document = Load(files, path, out _);
        return document is { RootElement.ValueKind: JsonValueKind.Object } && new ConfigFacts(document.RootElement, []).Text("similarity_fn_name") is { Length: > 0 };
    }

    private static string? QuantizationMethodOf(ConfigFacts facts) =>
        facts.Section("quantization_config") is { } config ? config.Text("quant_method") is { Length: > 0 } method && method != "compressed-tensors" ? method : config.Text("format") ?? config.Text("quant_method") : null;

    private static string? QuantizationOf(string? method) => method?.ToLowerInvariant() switch
    {
        { } m when m.Contains("int4", StringComparison.Ordinal) => "int4",
        { } m when m.Contains("fp8", StringComparison.Ordinal) => "fp8",
        _ => null,
    };

    private static string DtypeOf(ConfigFacts facts, string type, string? method)
    {
        if (type == "llama4" && method is "float-quantized") return "float8";
        return facts.Anywhere("torch_dtype", "dtype") ?? (type == "chatglm" ? "float16" : "");
    }
}
