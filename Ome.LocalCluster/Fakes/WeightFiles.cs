using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Fakes;

/// <summary>Writes a safetensors file: header length, JSON header padded to 8, tensors back to back.</summary>
internal static class SafetensorsFile
{
    public static void Write(Stream file, IReadOnlyList<TensorSpec> tensors, int seed)
    {
        var header = new JsonObject { ["__metadata__"] = new JsonObject { ["format"] = "pt" } };
        long offset = 0;
        foreach (var tensor in tensors)
        {
            header[tensor.Name] = new JsonObject
            {
                ["dtype"] = "BF16",
                ["shape"] = new JsonArray([.. tensor.Shape.Select(dimension => (JsonNode)dimension)]),
                ["data_offsets"] = new JsonArray(offset, offset + tensor.Bytes),
            };
            offset += tensor.Bytes;
        }

        var text = Encoding.UTF8.GetBytes(header.ToJsonString());
        var padded = (text.Length + 7) / 8 * 8;
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, padded);
        file.Write(length);
        file.Write(text);
        for (var i = text.Length; i < padded; i++) file.WriteByte((byte)' ');
        foreach (var tensor in tensors) Weights.Write(file, tensor, seed);
    }
}

/// <summary>Writes a GGUF version 3 file with the tensors as F16.</summary>
internal static class GgufFile
{
    private const int Alignment = 32;
    private const uint UInt32Type = 4;
    private const uint StringType = 8;
    private const uint F16 = 1;

    public static void Write(Stream file, LlamaShape shape, int seed)
    {
        var tensors = shape.Tensors();
        using var head = new MemoryStream();
        using var writer = new BinaryWriter(head, Encoding.UTF8, leaveOpen: true);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)tensors.Count);
        var numbers = new (string Key, uint Value)[]
        {
            ("general.alignment", Alignment), ("llama.block_count", (uint)shape.Layers), ("llama.context_length", 2048),
            ("llama.embedding_length", (uint)shape.Hidden), ("llama.feed_forward_length", (uint)shape.Intermediate),
            ("llama.attention.head_count", (uint)shape.Heads),
        };
        writer.Write((ulong)(numbers.Length + 2));
        WriteText(writer, "general.architecture", "llama");
        WriteText(writer, "general.name", "Generated model");
        foreach (var (key, value) in numbers)
        {
            WriteString(writer, key);
            writer.Write(UInt32Type);
            writer.Write(value);
        }

        ulong offset = 0;
        foreach (var tensor in tensors)
        {
            WriteString(writer, tensor.Name);
            writer.Write((uint)tensor.Shape.Length);
            foreach (var dimension in tensor.Shape.Reverse()) writer.Write((ulong)dimension);
            writer.Write(F16);
            writer.Write(offset);
            offset += (ulong)Aligned(tensor.Bytes);
        }

        writer.Flush();
        head.WriteTo(file);
        Pad(file, head.Length);
        foreach (var tensor in tensors)
        {
            Weights.Write(file, tensor, seed);
            Pad(file, tensor.Bytes);
        }
    }

    private static long Aligned(long length) => (length + Alignment - 1) / Alignment * Alignment;

    private static void Pad(Stream file, long length) => file.Write(new byte[Aligned(length) - length]);

    private static void WriteText(BinaryWriter writer, string key, string value)
    {
        WriteString(writer, key);
        writer.Write(StringType);
        WriteString(writer, value);
    }

    private static void WriteString(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }
}

/// <summary>Seeded weights that are small finite numbers as bfloat16 and as float16, fast enough for gigabytes.</summary>
internal static class Weights
{
    public static void Write(Stream file, TensorSpec tensor, int seed)
    {
        var state = unchecked(((ulong)seed * 0x9E3779B97F4A7C15) ^ Hash(tensor.Name)) | 1;
        var words = new ulong[8192];
        for (var left = tensor.Bytes; left > 0;)
        {
            for (var i = 0; i < words.Length; i++)
            {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                words[i] = (state & 0x80FF80FF80FF80FF) | 0x3C003C003C003C00;
            }

            var bytes = MemoryMarshal.AsBytes(words.AsSpan());
            var take = (int)Math.Min(left, bytes.Length);
            file.Write(bytes[..take]);
            left -= take;
        }
    }

    /// <summary>FNV-1a: string.GetHashCode differs between processes.</summary>
    private static ulong Hash(string text)
    {
        var hash = 0xcbf29ce484222325UL;
        foreach (var c in text) hash = unchecked((hash ^ c) * 0x100000001b3);
        return hash;
    }
}
