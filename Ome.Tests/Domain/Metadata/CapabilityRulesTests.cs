using Ome.Shared.Domain.Metadata;

namespace Ome.Tests.Domain.Metadata;

/// <summary>Contract P04–P09 and rule table 6.7; P05's token classifier and every mistral model are where we differ (W30).</summary>
public sealed class CapabilityRulesTests
{
    [TestCase("llama", "LlamaForCausalLM", false, false, "TEXT_TO_TEXT")]
    [TestCase("whisper", "WhisperForConditionalGeneration", false, false, "AUDIO_TO_TEXT")]
    [TestCase("wav2vec2", "Wav2Vec2ForCTC", false, false, "AUDIO_TO_TEXT")]
    [TestCase("seamless", "SeamlessM4TForSpeechToText", false, false, "AUDIO_TO_TEXT")]
    [TestCase("roberta", "RobertaForTokenClassification", false, false, "EMBEDDING")]
    [TestCase("deberta", "DebertaForTCell", false, false, "EMBEDDING")]
    [TestCase("NemotronH_Nano_Omni_Reasoning_V3", "NemotronH", true, false, "IMAGE_TEXT_TO_TEXT,TEXT_TO_TEXT,AUDIO_TO_TEXT")]
    [TestCase("qwen3_omni", "Qwen3OmniMoeForConditionalGeneration", false, false, "TEXT_TO_AUDIO,IMAGE_TEXT_TO_AUDIO,VIDEO_TEXT_TO_AUDIO,AUDIO_TO_TEXT,AUDIO_TO_AUDIO")]
    [TestCase("bert", "BertModel", false, true, "EMBEDDING")]
    [TestCase("mistral", "MistralModel", false, false, "EMBEDDING")]
    [TestCase("mistral", "MistralForCausalLM", false, false, "TEXT_TO_TEXT")]
    [TestCase("mllama", "MllamaForConditionalGeneration", true, false, "IMAGE_TEXT_TO_TEXT")]
    public void The_first_rule_that_fires_decides(string type, string architecture, bool vision, bool embedding, string capabilities) =>
        string.Join(',', CapabilityRules.Of(new CapabilityFacts(type, architecture, IsDiffusion: false, vision, embedding))).Should().Be(capabilities);

    [TestCase("QwenImagePipeline", "TEXT_TO_IMAGE")]
    [TestCase("QwenImageEditPlusPipeline", "IMAGE_TEXT_TO_IMAGE")]
    [TestCase("StableDiffusionXLPipeline", "TEXT_TO_IMAGE")]
    [TestCase("WanImageToVideoPipeline", "TEXT_TO_IMAGE")]
    [TestCase("CogVideoXT2VPipeline", "TEXT_TO_VIDEO")]
    [TestCase("HunyuanVideoPipeline", "IMAGE_TEXT_TO_VIDEO")]
    [TestCase("FluxPipeline", "IMAGE_TEXT_TO_TEXT")]
    public void A_pipeline_goes_by_its_class_name(string pipeline, string capability) =>
        CapabilityRules.Of(new CapabilityFacts("diffusers", pipeline, IsDiffusion: true, HasVision: false, IsEmbedding: false)).Should().Equal(capability);
}
