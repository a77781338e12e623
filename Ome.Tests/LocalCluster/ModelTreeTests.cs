using System.Buffers.Binary;
using System.Text.Json;
using Ome.LocalCluster.Fakes;
using Ome.Tests.Support;

namespace Ome.Tests.LocalCluster;

public sealed class ModelTreeTests
{
    [Test]
    public void Shards_index_and_configuration_agree()
    {
        using var directory = new TempDirectory();

        ModelTree.Write(directory.Path, new ModelTreeOptions(Shards: 3));

        using var index = JsonDocument.Parse(TestFiles.Bytes(directory.Path, "model.safetensors.index.json"));
        var map = index.RootElement.GetProperty("weight_map").EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetString()!);
        map.Values.Distinct().Should().HaveCount(3);
        long total = 0;
        foreach (var shard in map.GroupBy(entry => entry.Value))
        {
            var bytes = TestFiles.Bytes(Path.Combine(directory.Path, shard.Key));
            var headerLength = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
            using var header = JsonDocument.Parse(bytes.AsMemory(8, headerLength));
            var tensors = header.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__").ToList();
            tensors.Select(tensor => tensor.Name).Should().BeEquivalentTo(shard.Select(entry => entry.Key));
            var end = tensors.Max(tensor => tensor.Value.GetProperty("data_offsets")[1].GetInt64());
            bytes.LongLength.Should().Be(8 + headerLength + end);
            total += end;
        }

        index.RootElement.GetProperty("metadata").GetProperty("total_size").GetInt64().Should().Be(total);
    }

    [Test]
    public void The_same_seed_gives_the_same_bytes_and_another_seed_others()
    {
        using var directory = new TempDirectory();
        var paths = new[] { 1, 1, 2 }.Select((seed, i) =>
        {
            var path = Path.Combine(directory.Path, $"{i}");
            ModelTree.Write(path, new ModelTreeOptions(seed, Shards: 1));
            return TestFiles.Bytes(path, "model.safetensors");
        }).ToList();

        paths[1].Should().Equal(paths[0]);
        paths[2].Should().NotEqual(paths[0]);
    }

    [TestCase(200_000L)]
    [TestCase(3_000_000L)]
    [TestCase(40_000_000L)]
    public void Weights_come_out_near_the_wanted_size(long wanted)
    {
        using var directory = new TempDirectory();

        var paths = ModelTree.Write(directory.Path, new ModelTreeOptions(TotalBytes: wanted, Shards: 4, WithGguf: true));

        var weights = paths.Where(path => path.EndsWith(".safetensors", StringComparison.Ordinal)).Sum(path => new FileInfo(Path.Combine(directory.Path, path)).Length);
        weights.Should().BeInRange((long)(wanted * 0.6), (long)(wanted * 1.4));
        TestFiles.Bytes(directory.Path, "model-f16.gguf").AsSpan(0, 4).SequenceEqual("GGUF"u8).Should().BeTrue();
    }
}
