using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Fakes;

/// <summary>A tensor of 16-bit floats.</summary>
internal sealed record TensorSpec(string Name, long[] Shape)
{
    public long Elements => Shape.Aggregate(1L, (product, dimension) => checked(product * dimension));

    public long Bytes => Elements * 2;
}

/// <summary>The dimensions of a Llama model; configuration and tensors both come from here, so they agree.</summary>
internal sealed record LlamaShape(int Hidden, int Intermediate, int Layers, int Heads, int Vocabulary)
{
    /// <summary>The dimensions whose weights come closest to a size.</summary>
    public static LlamaShape For(long totalBytes, int vocabulary)
    {
        var (hidden, intermediate, heads) = totalBytes switch
        {
            < 16L << 20 => (64, 172, 4),
            < 1L << 30 => (512, 1376, 8),
            _ => (1024, 2752, 16),
        };
        var none = new LlamaShape(hidden, intermediate, 0, heads, vocabulary);
        var fixedBytes = none.Tensors().Sum(tensor => tensor.Bytes);
        var layerBytes = (none with { Layers = 1 }).Tensors().Sum(tensor => tensor.Bytes) - fixedBytes;
        return none with { Layers = (int)Math.Clamp((totalBytes - fixedBytes + (layerBytes / 2)) / layerBytes, 1, 10_000) };
    }

    public IReadOnlyList<TensorSpec> Tensors()
    {
        var tensors = new List<TensorSpec> { new("model.embed_tokens.weight", [Vocabulary, Hidden]) };
        for (var i = 0; i < Layers; i++)
        {
            var layer = $"model.layers.{i}.";
            tensors.Add(new(layer + "input_layernorm.weight", [Hidden]));
            tensors.Add(new(layer + "mlp.down_proj.weight", [Hidden, Intermediate]));
            tensors.Add(new(layer + "mlp.gate_proj.weight", [Intermediate, Hidden]));
            tensors.Add(new(layer + "mlp.up_proj.weight", [Intermediate, Hidden]));
            tensors.Add(new(layer + "post_attention_layernorm.weight", [Hidden]));
            foreach (var projection in (string[])["k_proj", "o_proj", "q_proj", "v_proj"])
            {
                tensors.Add(new($"{layer}self_attn.{projection}.weight", [Hidden, Hidden]));
            }
        }

        tensors.Add(new("model.norm.weight", [Hidden]));
        tensors.Add(new("lm_head.weight", [Vocabulary, Hidden]));
        return tensors;
    }

    public string Config() => new JsonObject
    {
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["attention_bias"] = false,
        ["bos_token_id"] = 1,
        ["eos_token_id"] = 2,
        ["hidden_act"] = "silu",
        ["hidden_size"] = Hidden,
        ["initializer_range"] = 0.02,
        ["intermediate_size"] = Intermediate,
        ["max_position_embeddings"] = 2048,
        ["model_type"] = "llama",
        ["num_attention_heads"] = Heads,
        ["num_hidden_layers"] = Layers,
        ["num_key_value_heads"] = Heads,
        ["rms_norm_eps"] = 1e-5,
        ["rope_theta"] = 10000.0,
        ["tie_word_embeddings"] = false,
        ["torch_dtype"] = "bfloat16",
        ["transformers_version"] = "4.42.3",
        ["vocab_size"] = Vocabulary,
    }.ToJsonString(FakeJson.Indented) + "\n";
}

/// <summary>How the fakes write JSON.</summary>
internal static class FakeJson
{
    public static JsonSerializerOptions Indented { get; } = new() { WriteIndented = true };
}
