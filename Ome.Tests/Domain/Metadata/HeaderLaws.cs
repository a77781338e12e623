using System.Text;
using CsCheck;
using Ome.Shared.Domain.Metadata;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Metadata;

/// <summary>Whatever the bytes: a value or a problem, never an exception, never more than 64 MiB allocated.</summary>
public sealed class HeaderLaws
{
    private const long MaxAllocated = 64L * 1024 * 1024;

    private static readonly Gen<byte[]> Edited =
        from seed in Gen.Int
        from gguf in Gen.Bool
        from edits in Gen.Select(Gen.Double.Unit, Gen.Byte).Array[1, 8]
        from cut in Gen.Double.Unit
        select Edit(gguf ? WeightFiles.Gguf(seed, 64) : WeightFiles.Safetensors(seed, 500), edits, cut);

    private static readonly Gen<byte[]> Text =
        from parts in Gen.OneOf("{", "}", "[", "]", "\"a\"", ":", ",", "1", "-1", "\"dtype\"", "\"U8\"", "\"shape\"", "\"data_offsets\"", "\"__metadata__\"",
            "\"weight_map\"", "\"metadata\"", "\"total_size\"", "9223372036854775807", "1e400", "null", "\"\\ud800\"", "\"../x\"", " ", "\u00e9").Array[0, 40]
        select Encoding.UTF8.GetBytes("{" + string.Concat(parts));

    [Test]
    public void Edited_weight_files_never_throw() => Edited.Sample(bytes => Holds(bytes), iter: 2_000);

    [Test]
    public void Random_json_never_throws() =>
        Text.Sample(text => Holds(text) && Holds(WeightFiles.Safetensors(Encoding.UTF8.GetString(text), [])), iter: 2_000);

    [Test]
    public void Random_bytes_never_throw() => Gen.Byte.Array[0, 300].Sample(bytes => Holds(bytes), iter: 2_000);

    private static bool Holds(byte[] bytes)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var source = new ArrayByteSource(bytes);
        var safetensors = SafetensorsHeader.Read(source);
        var gguf = GgufHeader.Read(source);
        var index = WeightIndex.Read(source);
        return GC.GetAllocatedBytesForCurrentThread() - before < MaxAllocated
            && (safetensors.Value is null) != (safetensors.Problem is null)
            && (gguf.Value is null) != (gguf.Problem is null)
            && (index.Value is null) != (index.Problem is null);
    }

    private static byte[] Edit(byte[] bytes, (double At, byte Value)[] edits, double cut)
    {
        foreach (var (at, value) in edits) bytes[(int)(at * (bytes.Length - 1))] = value;
        return cut < 0.2 ? bytes[..(int)(cut * 5 * bytes.Length)] : bytes;
    }
}
