using System.Buffers.Binary;
using System.Text;

namespace Ome.Tests.Support;

/// <summary>Builds small weight files that their formats' own loaders would accept.</summary>
internal static class WeightFiles
{
    /// <summary>A safetensors file from a header text and data bytes; the header may be any text.</summary>
    public static byte[] Safetensors(string header, byte[] data)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + text.Length + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, text.Length);
        text.CopyTo(bytes, 8);
        data.CopyTo(bytes, 8 + text.Length);
        return bytes;
    }

    /// <summary>A safetensors file of about <paramref name="dataBytes"/> of seeded bytes in <paramref name="tensors"/> U8 tensors.</summary>
    public static byte[] Safetensors(int seed, int dataBytes, int tensors = 3)
    {
        var data = new byte[dataBytes];
        new Random(seed).NextBytes(data);
        var header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        var begin = 0;
        for (var i = 0; i < tensors; i++)
        {
            var end = i == tensors - 1 ? dataBytes : begin + (dataBytes / tensors);
            header.Append($",\"layers.{i}.weight\":{{\"dtype\":\"U8\",\"shape\":[{end - begin}],\"data_offsets\":[{begin},{end}]}}");
            begin = end;
        }

        header.Append('}');
        while ((header.Length + 8) % 8 != 0) header.Append(' ');
        return Safetensors(header.ToString(), data);
    }

    /// <summary>A GGUF v3 file with an architecture, a vocabulary and F32 tensors of seeded bytes.</summary>
    public static byte[] Gguf(int seed, int elementsPerTensor, int tensors = 2)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)tensors);
        writer.Write(3ul);
        Text("general.architecture");
        writer.Write(8u);
        Text("llama");
        Text("llama.context_length");
        writer.Write(4u);
        writer.Write(4096u);
        Text("tokenizer.ggml.tokens");
        writer.Write(9u);
        writer.Write(8u);
        writer.Write(3ul);
        foreach (var token in new[] { "<s>", "</s>", "hello" }) Text(token);
        var size = elementsPerTensor * 4;
        var padded = (size + 31) / 32 * 32;
        for (var i = 0; i < tensors; i++)
        {
            Text($"blk.{i}.weight");
            writer.Write(1u);
            writer.Write((ulong)elementsPerTensor);
            writer.Write(0u);
            writer.Write((ulong)(i * padded));
        }

        while (stream.Position % 32 != 0) writer.Write((byte)0);
        var random = new Random(seed);
        for (var i = 0; i < tensors; i++)
        {
            var data = new byte[i == tensors - 1 ? size : padded];
            random.NextBytes(data.AsSpan(0, size));
            writer.Write(data);
        }

        return stream.ToArray();

        void Text(string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            writer.Write((ulong)bytes.Length);
            writer.Write(bytes);
        }
    }
}
