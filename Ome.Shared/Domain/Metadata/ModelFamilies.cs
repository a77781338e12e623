using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Ome.Shared.Domain.Metadata;

/// <summary>Which member of the config holds the context length.</summary>
internal enum ContextSource
{
    MaxPositionEmbeddings,
    TextMaxPositionEmbeddings,
    LanguageMaxPositionEmbeddings,
    SeqLengthElseMaxPositionEmbeddings,
    SeqLength,
    MaxSeqLen,
    ModelMaxLengthElseMaxPositionEmbeddings,
    SlidingWindowTimesRope,
    MaxPositionEmbeddingsElseMaxSequenceLength,
}

internal enum VisionRule
{
    Never,
    Always,
    WithVisionConfig,
    WithImageProcessor,
}

/// <summary>How to guess the parameter count when the weights cannot be counted (contract 6.4, estimates).</summary>
internal enum Estimate
{
    Zero,
    Llama,
    Standard,
    Generic,
}

/// <summary>A well-known size: exact dimensions and the count people know. 0 matches any value.</summary>
internal readonly record struct KnownSize(long Hidden, long Layers, long Count, long Experts = 0)
{
    /// <summary>Larger hidden and layer counts are this size too.</summary>
    public bool OrMore { get; init; }

    public long VisionLayers { get; init; }

    public long LeastVocabulary { get; init; }
}

/// <summary>One row of contract 6.4.</summary>
internal sealed record ModelFamily(string[] Types)
{
    public ContextSource Context { get; init; }
    public VisionRule Vision { get; init; }
    public bool Embedding { get; init; }
    public bool EmbeddingBySentenceTransformers { get; init; }
    public bool ReadsQuantization { get; init; }

    /// <summary>The config's section that holds the text model's dimensions, or null for the top level.</summary>
    public string? TextSection { get; init; }
    public string? DefaultArchitecture { get; init; }
    public ImmutableArray<KnownSize> Sizes { get; init; } = [];
    public Estimate Otherwise { get; init; } = Estimate.Generic;
}

/// <summary>The table of known model types: a row each, no class each. Anything else is read the generic way.</summary>
internal static class ModelFamilies
{
    private const long B = 1_000_000_000;
    private const long M = 1_000_000;

    public static readonly ModelFamily Generic = new([])
    {
        Context = ContextSource.MaxPositionEmbeddingsElseMaxSequenceLength,
        Vision = VisionRule.WithVisionConfig,
        ReadsQuantization = true,
    };

    private static readonly ModelFamily[] Rows =
    [
        new(["llama"]) { ReadsQuantization = true, DefaultArchitecture = "LlamaForCausalLM", Otherwise = Estimate.Llama, Sizes = [new(8192, 80, 70 * B), new(8192, 82, 70 * B), new(16384, 126, 405 * B), new(3072, 28, 3 * B), new(2048, 16, 1 * B)] },
        new(["llama4"]) { Context = ContextSource.TextMaxPositionEmbeddings, TextSection = "text_config", Vision = VisionRule.WithVisionConfig, ReadsQuantization = true, DefaultArchitecture = "Llama4ForConditionalGeneration", Sizes = [new(5120, 48, 402 * B, 128), new(5120, 48, 17 * B, 16)] },
        new(["mllama"]) { Context = ContextSource.TextMaxPositionEmbeddings, TextSection = "text_config", Vision = VisionRule.Always, DefaultArchitecture = "MllamaForConditionalGeneration", Sizes = [new(4096, 40, 11 * B), new(8192, 100, 90 * B)] },
        new(["llava"]) { Context = ContextSource.TextMaxPositionEmbeddings, TextSection = "text_config", Vision = VisionRule.Always, Sizes = [new(0, 0, 7500 * M) { VisionLayers = 24, LeastVocabulary = 32000 }] },
        // Upstream calls every mistral model an embedding model (W30); only the bare MistralModel is one, which the capability rules see.
        new(["mistral"]) { DefaultArchitecture = "MistralModel", Otherwise = Estimate.Zero, Sizes = [new(4096, 32, 7 * B)] },
        new(["mixtral"]) { DefaultArchitecture = "MixtralForCausalLM", Sizes = [new(0, 0, 46_700 * M)] },
        new(["deepseek_v3"]) { ReadsQuantization = true, Sizes = [new(0, 0, 685 * B)] },
        new(["kimi_k2"]) { ReadsQuantization = true, Sizes = [new(0, 0, 1500 * B)] },
        new(["deepseek_vl_v2"]) { Context = ContextSource.LanguageMaxPositionEmbeddings, TextSection = "language_config", Vision = VisionRule.Always, DefaultArchitecture = "DeepseekVLV2ForCausalLM", Sizes = [new(1280, 12, 1 * B), new(2048, 24, 1300 * M)] },
        new(["janus", "multi_modality"]) { Context = ContextSource.LanguageMaxPositionEmbeddings, TextSection = "language_config", Vision = VisionRule.Always, DefaultArchitecture = "JanusMultiModalityCausalLM", Sizes = [new(1280, 12, 1 * B), new(2048, 24, 1300 * M)] },
        new(["gpt_oss"]) { ReadsQuantization = true, DefaultArchitecture = "GptOssForCausalLM", Sizes = [new(2880, 24, 20 * B, 32), new(2880, 36, 120 * B, 128)] },
        new(["gemma", "gemma2", "gemma3_text"]) { Otherwise = Estimate.Standard, Sizes = [new(2048, 18, 2 * B), new(2304, 26, 2600 * M), new(3072, 28, 7 * B), new(3584, 42, 9 * B)] },
        new(["gemma3"]) { Context = ContextSource.SlidingWindowTimesRope, TextSection = "text_config", Vision = VisionRule.Always, Sizes = [new(5376, 62, 32 * B)] },
        new(["qwen"]) { Context = ContextSource.SeqLengthElseMaxPositionEmbeddings, ReadsQuantization = true, Otherwise = Estimate.Standard, Sizes = [new(4096, 32, 7 * B), new(5120, 40, 14 * B), new(8192, 80, 72 * B)] },
        new(["qwen2"]) { Context = ContextSource.SeqLengthElseMaxPositionEmbeddings, ReadsQuantization = true, Otherwise = Estimate.Standard, Sizes = [new(3584, 28, 7 * B), new(8192, 40, 34 * B), new(7680, 64, 72 * B)] },
        new(["qwen2_vl", "qwen2_5_vl"]) { Vision = VisionRule.Always, ReadsQuantization = true, Otherwise = Estimate.Standard, Sizes = [new(1536, 28, 2 * B), new(3584, 28, 7 * B), new(8192, 80, 72 * B)] },
        new(["qwen3"]) { Context = ContextSource.SeqLengthElseMaxPositionEmbeddings, EmbeddingBySentenceTransformers = true, ReadsQuantization = true, Otherwise = Estimate.Standard, Sizes = [new(2560, 36, 4 * B), new(4096, 36, 8 * B)] },
        new(["qwen3_moe"]) { Context = ContextSource.SeqLengthElseMaxPositionEmbeddings, ReadsQuantization = true, Otherwise = Estimate.Standard, Sizes = [new(2048, 48, 30 * B), new(4096, 94, 235 * B)] },
        new(["qwen3_vl", "qwen3_vl_moe", "qwen3_5", "qwen3_5_moe"]) { Context = ContextSource.TextMaxPositionEmbeddings, TextSection = "text_config", Vision = VisionRule.Always, ReadsQuantization = true },
        new(["phi"]) { Otherwise = Estimate.Zero },
        new(["phi3"]) { Otherwise = Estimate.Zero, Sizes = [new(3072, 32, 3800 * M)] },
        new(["phi3small"]) { Otherwise = Estimate.Zero, Sizes = [new(4096, 32, 7 * B)] },
        new(["phi3_v"]) { Vision = VisionRule.WithImageProcessor, Otherwise = Estimate.Standard, Sizes = [new(3072, 32, 14 * B)] },
        new(["phimoe"]) { Otherwise = Estimate.Zero, Sizes = [new(4096, 32, 16 * B, 16)] },
        new(["cohere", "command-r"]) { Otherwise = Estimate.Standard, Sizes = [new(8192, 40, 35 * B), new(12288, 64, 104 * B) { OrMore = true }] },
        new(["dbrx"]) { Context = ContextSource.MaxSeqLen, DefaultArchitecture = "DbrxForCausalLM", Sizes = [new(6144, 48, 132 * B), new(6144, 40, 132 * B)] },
        new(["baichuan"]) { Context = ContextSource.ModelMaxLengthElseMaxPositionEmbeddings, Otherwise = Estimate.Standard, Sizes = [new(4096, 32, 7 * B), new(5120, 40, 13 * B)] },
        new(["chatglm"]) { Context = ContextSource.SeqLength, Sizes = [new(4096, 28, 6 * B), new(4096, 40, 9 * B)] },
        new(["exaone"]) { Otherwise = Estimate.Standard, Sizes = [new(4096, 32, 7800 * M), new(2560, 42, 2800 * M)] },
        new(["internlm", "internlm2"]) { Otherwise = Estimate.Standard, Sizes = [new(4096, 32, 7 * B), new(6144, 48, 20 * B), new(2048, 24, 1800 * M)] },
        new(["minicpm", "minicpm3"]) { Otherwise = Estimate.Standard, Sizes = [new(2560, 62, 4 * B), new(2304, 40, 2400 * M), new(1536, 52, 1200 * M)] },
        new(["stablelm"]) { Otherwise = Estimate.Standard, Sizes = [new(2560, 32, 3 * B), new(2048, 24, 1600 * M)] },
        new(["xverse"]) { Otherwise = Estimate.Standard, Sizes = [new(4096, 32, 7 * B), new(5120, 40, 13 * B), new(6144, 80, 65 * B)] },
        new(["bert"]) { Embedding = true, Sizes = [new(768, 12, 110 * M), new(1024, 24, 340 * M)] },
    ];

    private static readonly FrozenDictionary<string, ModelFamily> ByType =
        Rows.SelectMany(row => row.Types, (row, type) => (row, type)).ToFrozenDictionary(pair => pair.type, pair => pair.row, StringComparer.Ordinal);

    public static ModelFamily Of(string modelType) => ByType.GetValueOrDefault(modelType, Generic);
}
