using System.Collections.Immutable;

namespace Ome.Shared.Domain.Metadata;

/// <summary>What the capability rules look at; type and architecture in any letter case.</summary>
public readonly record struct CapabilityFacts(string ModelType, string Architecture, bool IsDiffusion, bool HasVision, bool IsEmbedding);

/// <summary>Capabilities of a model: the first rule that fires decides (contract 6.7).</summary>
public static class CapabilityRules
{
    private static readonly ImmutableArray<(Func<string, string, CapabilityFacts, bool> Fires, ImmutableArray<string> Gives)> Rules =
    [
        ((_, arch, facts) => facts.IsDiffusion && HasAny(arch, "imageedit", "pix2pix", "img2img", "inpaint"), ["IMAGE_TEXT_TO_IMAGE"]),
        ((_, arch, facts) => facts.IsDiffusion && HasAny(arch, "image", "pix", "stablediffusion"), ["TEXT_TO_IMAGE"]),
        ((_, arch, facts) => facts.IsDiffusion && HasAny(arch, "texttovideo", "t2v"), ["TEXT_TO_VIDEO"]),
        ((_, arch, facts) => facts.IsDiffusion && HasAny(arch, "video"), ["IMAGE_TEXT_TO_VIDEO"]),
        ((type, _, _) => HasAny(type, "nemotronh_nano"), ["IMAGE_TEXT_TO_TEXT", "TEXT_TO_TEXT", "AUDIO_TO_TEXT"]),
        ((_, _, facts) => facts.HasVision || facts.IsDiffusion, ["IMAGE_TEXT_TO_TEXT"]),
        ((_, arch, _) => HasAny(arch, "omni"), ["TEXT_TO_AUDIO", "IMAGE_TEXT_TO_AUDIO", "VIDEO_TEXT_TO_AUDIO", "AUDIO_TO_TEXT", "AUDIO_TO_AUDIO"]),
        // "fortc" is upstream's spelling and also matches token classifiers (W30): the CTC head is meant.
        ((_, arch, _) => HasAny(arch, "whisper", "wav2vec2", "hubert", "forctc", "forspeechtotext"), ["AUDIO_TO_TEXT"]),
        ((type, arch, facts) => facts.IsEmbedding || HasAny(arch, "embedding", "sentence") || HasAny(type, "bert")
            || (HasAny(type, "mistral") && HasAny(arch, "mistralmodel")), ["EMBEDDING"]),
    ];

    public static ImmutableArray<string> Of(CapabilityFacts facts)
    {
        var (type, arch) = (facts.ModelType.ToLowerInvariant(), facts.Architecture.ToLowerInvariant());
        foreach (var (fires, gives) in Rules)
        {
            if (fires(type, arch, facts)) return gives;
        }

        return ["TEXT_TO_TEXT"];
    }

    private static bool HasAny(string text, params ReadOnlySpan<string> parts)
    {
        foreach (var part in parts)
        {
            if (text.Contains(part, StringComparison.Ordinal)) return true;
        }

        return false;
    }
}
