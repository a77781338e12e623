using System.Buffers.Binary;
using Ome.Shared.Domain.Metadata;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Metadata;

public sealed class GgufHeaderTests
{
    [Test]
    public void Values_and_tensors_are_read()
    {
        var header = GgufHeader.Read(new ArrayByteSource(WeightFiles.Gguf(1, 100))).Value!;

        header.Version.Should().Be(3);
        header.Values.Should().Contain("general.architecture", "llama").And.Contain("llama.context_length", 4096ul).And.Contain("tokenizer.ggml.tokens", 3ul);
        header.Tensors.Should().HaveCount(2);
        header.Tensors[1].Should().BeEquivalentTo(new { Name = "blk.1.weight", Type = "F32", Elements = 100L, Length = 400L, Offset = header.DataOffset + 416 });
    }

    [Test]
    public void A_truncated_file_is_broken_wherever_it_ends()
    {
        var whole = WeightFiles.Gguf(1, 100);

        for (var length = 0; length < whole.Length; length++)
        {
            var problem = GgufHeader.Read(new ArrayByteSource(whole[..length])).Problem;
            problem.Should().NotBeNull($"{length} of {whole.Length} bytes");
            problem!.Kind.Should().Be(StructureProblemKind.Broken);
        }
    }

    [TestCase(8, ulong.MaxValue, "18446744073709551615 tensors do not fit in * bytes")]
    [TestCase(16, ulong.MaxValue, "18446744073709551615 key-value pairs do not fit in * bytes")]
    [TestCase(24, ulong.MaxValue, "key has 18446744073709551615 bytes")]
    public void Counts_from_a_hostile_file_are_refused_before_any_loop_runs_on_them(int offset, ulong value, string message)
    {
        var bytes = WeightFiles.Gguf(1, 100);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(offset), value);

        GgufHeader.Read(new ArrayByteSource(bytes)).Problem!.Message.Should().Match(message);
    }

    [Test]
    public void A_wrong_tensor_offset_is_broken()
    {
        var bytes = WeightFiles.Gguf(1, 100);
        var name = bytes.AsSpan().IndexOf("blk.1.weight"u8);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(name + 12 + 4 + 8 + 4), 32);

        GgufHeader.Read(new ArrayByteSource(bytes)).Problem!.Message.Should().Be("tensor 'blk.1.weight' begins at data byte 32, expected 416");
    }

    [TestCase(1u)]
    [TestCase(4u)]
    [TestCase(0x03000000u)]
    public void A_version_we_do_not_know_is_not_held_against_the_file(uint version)
    {
        var bytes = WeightFiles.Gguf(1, 100);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), version);

        GgufHeader.Read(new ArrayByteSource(bytes)).Problem!.Kind.Should().Be(StructureProblemKind.NotExamined);
    }

    [Test]
    public void A_terabyte_of_empty_texts_stops_at_the_header_bound()
    {
        var bytes = new byte[24 + 8 + 1 + 4 + 4 + 8];
        "GGUF"u8.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), 3);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), 1);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(24), 1);
        bytes[32] = (byte)'k';
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(33), 9);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(37), 8);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(41), 100_000_000_000);

        var source = new ArrayByteSource(bytes, pretendLength: 1L << 40);

        GgufHeader.Read(source).Problem!.Kind.Should().Be(StructureProblemKind.NotExamined);
        source.BytesRead.Should().BeLessThan(300L * 1024 * 1024);
    }
}
