using System.Buffers.Binary;
using System.Text;
using Ome.Shared.Domain.Metadata;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Metadata;

public sealed class SafetensorsHeaderTests
{
    [Test]
    public void Tensors_come_in_data_order_with_offsets_from_the_start_of_the_file()
    {
        var bytes = WeightFiles.Safetensors(
            """{"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]}}""",
            new byte[12]);

        var header = SafetensorsHeader.Read(new ArrayByteSource(bytes)).Value!;

        header.Tensors.Select(tensor => tensor.Name).Should().Equal("a", "b");
        header.Tensors[0].Should().BeEquivalentTo(new { Type = "BF16", Elements = 2L, Offset = header.DataOffset, Length = 4L });
        header.Metadata.Should().Contain("format", "pt");
        header.DataOffset.Should().Be(bytes.Length - 12);
    }

    [TestCase("{}", 0)]
    [TestCase("{}        ", 0)]
    [TestCase("""{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", 4)]
    [TestCase("""{"a":{"dtype":"F32","shape":[0,7],"data_offsets":[0,0]}}""", 0)]
    [TestCase("""{"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}}""", 2)]
    [TestCase("""{"a":{"dtype":"FROM_THE_FUTURE","shape":[4],"data_offsets":[0,3]}}""", 3)]
    public void What_the_loader_accepts_we_accept(string header, int dataBytes) =>
        SafetensorsHeader.Read(new ArrayByteSource(WeightFiles.Safetensors(header, new byte[dataBytes]))).Problem.Should().BeNull();

    [TestCase("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", 5, "the last tensor ends at byte *, the file at *")]
    [TestCase("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", 3, "the last tensor ends at byte *, the file at *")]
    [TestCase("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[1,5]}}""", 5, "*a hole before it")]
    [TestCase("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}}""", 5, "*an overlap*")]
    [TestCase("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,4]}}""", 4, "*of type F32 and shape [4] has 4 bytes")]
    [TestCase("""{"a":{"dtype":"U8","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,4]}}""", 4, "*has 4 bytes")]
    [TestCase("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}""", 4, "*data_offsets that are not [begin, end]")]
    [TestCase("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,9223372036854775807]}}""", 4, "*data_offsets that are not*")]
    [TestCase("""{"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}}""", 4, "*a number that is not a size")]
    [TestCase("""{"a":{"dtype":"U8","shape":[4]}}""", 4, "*no dtype, shape or data_offsets")]
    [TestCase("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":1}}""", 4, "*an unknown member 'x'")]
    [TestCase("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""", 4, "*listed twice")]
    [TestCase("""{"a":7}""", 0, "'a' is not an object")]
    [TestCase("""{"__metadata__":{"a":7}}""", 0, "*not text")]
    [TestCase("""{"a":{"dtype":"U8",""", 0, "not valid JSON:*")]
    [TestCase("""[]""", 0, "the header does not begin with '{'")]
    [TestCase("""{} x""", 0, "not valid JSON:*")]
    public void A_broken_rule_is_named(string header, int dataBytes, string message)
    {
        var problem = SafetensorsHeader.Read(new ArrayByteSource(WeightFiles.Safetensors(header, new byte[dataBytes]))).Problem;

        problem!.Kind.Should().Be(StructureProblemKind.Broken);
        problem.Message.Should().Match(message);
    }

    [TestCase(0)]
    [TestCase(7)]
    public void A_file_too_short_for_a_header_is_broken(int length) =>
        SafetensorsHeader.Read(new ArrayByteSource(new byte[length])).Problem!.Message.Should().StartWith($"the file has {length} bytes");

    [TestCase(100_000_001ul, "the header length says 100000001 bytes*")]
    [TestCase(ulong.MaxValue, "the header length says 18446744073709551615 bytes*")]
    [TestCase(50_000ul, "the header should end at byte 50008*")]
    public void A_header_length_from_a_hostile_file_is_refused_before_anything_is_allocated(ulong length, string message)
    {
        var bytes = new byte[100];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        var source = new ArrayByteSource(bytes);

        SafetensorsHeader.Read(source).Problem!.Message.Should().Match(message);
        source.BytesRead.Should().BeLessThan(16);
    }

    [Test]
    public void A_hostile_header_of_a_hundred_megabytes_allocates_less_than_64_MiB()
    {
        var text = new StringBuilder("{");
        for (var i = 0; text.Length < 30_000_000; i++) text.Append($"\"{i}\":{{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[{i},{i + 1}]}},");
        var hostile = WeightFiles.Safetensors(text.ToString(), []);
        var oneName = new byte[100_000_008];
        BinaryPrimitives.WriteInt64LittleEndian(oneName, 100_000_000);
        "{\""u8.CopyTo(oneName.AsSpan(8));
        oneName.AsSpan(10).Fill((byte)'a');

        foreach (var bytes in new[] { hostile, oneName })
        {
            var source = new ArrayByteSource(bytes);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var result = SafetensorsHeader.Read(source);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

            result.Problem!.Kind.Should().Be(StructureProblemKind.NotExamined);
            allocated.Should().BeLessThan(64 * 1024 * 1024);
        }
    }

    [Test]
    public void A_header_longer_than_the_window_is_read_across_it()
    {
        var bytes = WeightFiles.Safetensors(1, 300_000, tensors: 3000);

        SafetensorsHeader.Read(new ArrayByteSource(bytes)).Value!.Tensors.Should().HaveCount(3000);
    }
}
