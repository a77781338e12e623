using System.Globalization;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Fakes;

/// <summary>What to generate.</summary>
/// <param name="Seed">Same seed and sizes, same bytes.</param>
/// <param name="TotalBytes">Wanted bytes of all weights; the tree comes out within a layer of it. At least 100 kB.</param>
/// <param name="Shards">Safetensors files; one gives <c>model.safetensors</c> without an index, as the hub has it.</param>
/// <param name="WithGguf">Adds <c>model-f16.gguf</c> with the same tensors.</param>
public sealed record ModelTreeOptions(int Seed = 1, long TotalBytes = 400_000, int Shards = 2, bool WithGguf = false);

/// <summary>
/// Writes small but real Llama models: configuration, tokenizer, sharded safetensors with their index, optionally GGUF; every size, shape,
/// offset and count agrees with every other, so that whatever reads models reads these.
/// </summary>
public static class ModelTree
{
    private const int Vocabulary = 259;

    /// <summary>Writes the tree into a directory, created if needed.</summary>
    /// <returns>Relative paths of all files, sorted.</returns>
    public static IReadOnlyList<string> Write(string directory, ModelTreeOptions? options = null)
    {
        options ??= new ModelTreeOptions();
        var shape = LlamaShape.For(options.TotalBytes, Vocabulary);
        Directory.CreateDirectory(directory);
        var paths = new List<string>();

        foreach (var (path, text) in SmallFiles(shape))
        {
            File.WriteAllText(Path.Combine(directory, path), text);
            paths.Add(path);
        }

        paths.AddRange(WriteShards(directory, shape, options));
        if (options.WithGguf)
        {
            using var gguf = File.Create(Path.Combine(directory, "model-f16.gguf"));
            GgufFile.Write(gguf, shape, options.Seed);
            paths.Add("model-f16.gguf");
        }

        paths.Sort(StringComparer.Ordinal);
        return paths;
    }

    private static IEnumerable<string> WriteShards(string directory, LlamaShape shape, ModelTreeOptions options)
    {
        var map = new JsonObject();
        long total = 0;
        var shards = Split(shape.Tensors(), options.Shards);
        for (var i = 0; i < shards.Count; i++)
        {
            var name = shards.Count == 1
                ? "model.safetensors"
                : string.Create(CultureInfo.InvariantCulture, $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors");
            using (var file = File.Create(Path.Combine(directory, name))) SafetensorsFile.Write(file, shards[i], options.Seed);
            foreach (var tensor in shards[i])
            {
                map[tensor.Name] = name;
                total += tensor.Bytes;
            }

            yield return name;
        }

        if (shards.Count == 1) yield break;
        var index = new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = total }, ["weight_map"] = map };
        File.WriteAllText(Path.Combine(directory, "model.safetensors.index.json"), index.ToJsonString(FakeJson.Indented) + "\n");
        yield return "model.safetensors.index.json";
    }

    private static List<List<TensorSpec>> Split(IReadOnlyList<TensorSpec> tensors, int shards)
    {
        var wanted = Math.Clamp(shards, 1, tensors.Count);
        var perShard = tensors.Sum(tensor => tensor.Bytes) / wanted;
        var result = new List<List<TensorSpec>> { new() };
        long filled = 0;
        for (var i = 0; i < tensors.Count; i++)
        {
            var last = result[^1];
            var mustLeave = wanted - result.Count >= tensors.Count - i;
            if (last.Count > 0 && result.Count < wanted && (mustLeave || filled >= perShard * result.Count)) result.Add(last = []);
            last.Add(tensors[i]);
            filled += tensors[i].Bytes;
        }

        return result;
    }

    private static IEnumerable<(string Path, string Text)> SmallFiles(LlamaShape shape)
    {
        yield return (".gitattributes", "*.safetensors filter=lfs diff=lfs merge=lfs -text\n*.gguf filter=lfs diff=lfs merge=lfs -text\n");
        yield return ("README.md", "---\nlicense: apache-2.0\npipeline_tag: text-generation\n---\n# Generated model\n\nReal in every format, meaningless in every answer.\n");
        yield return ("config.json", shape.Config());
        yield return ("generation_config.json", """{"_from_model_config":true,"bos_token_id":1,"eos_token_id":2,"transformers_version":"4.42.3"}""" + "\n");
        yield return ("special_tokens_map.json", """{"bos_token":"<s>","eos_token":"</s>","unk_token":"<unk>"}""" + "\n");
        yield return ("tokenizer_config.json",
            """{"add_bos_token":true,"bos_token":"<s>","eos_token":"</s>","unk_token":"<unk>","model_max_length":2048,"tokenizer_class":"PreTrainedTokenizerFast"}""" + "\n");
        yield return ("tokenizer.json", Tokenizer());
    }

    /// <summary>A byte-level BPE without merges: each byte is a token, after the three special ones.</summary>
    private static string Tokenizer()
    {
        string[] special = ["<unk>", "<s>", "</s>"];
        var added = new JsonArray();
        var vocabulary = new JsonObject();
        for (var i = 0; i < special.Length; i++)
        {
            added.Add(new JsonObject
            {
                ["id"] = i,
                ["content"] = special[i],
                ["single_word"] = false,
                ["lstrip"] = false,
                ["rstrip"] = false,
                ["normalized"] = false,
                ["special"] = true,
            });
            vocabulary[special[i]] = i;
        }

        // GPT-2's printable stand-ins: bytes that print stand for themselves, the others move above U+0100.
        var moved = 0;
        for (var b = 0; b < 256; b++)
        {
            var prints = b is >= 33 and <= 126 or >= 161 and <= 172 or >= 174;
            vocabulary[((char)(prints ? b : 256 + moved++)).ToString()] = b + special.Length;
        }

        var level = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true };
        return new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = added,
            ["normalizer"] = null,
            ["pre_tokenizer"] = level,
            ["post_processor"] = null,
            ["decoder"] = level.DeepClone(),
            ["model"] = new JsonObject { ["type"] = "BPE", ["unk_token"] = "<unk>", ["vocab"] = vocabulary, ["merges"] = new JsonArray() },
        }.ToJsonString(FakeJson.Indented) + "\n";
    }
}
