using System.Text;
using Ome.Shared.Domain.Metadata;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Metadata;

public sealed class WeightIndexTests
{
    [Test]
    public void Shards_are_listed_once_with_the_claimed_size()
    {
        var index = Read("""{"metadata":{"total_size":123,"x":{"total_size":9}},"weight_map":{"a":"model-2.safetensors","b":"model-1.safetensors","c":"model-2.safetensors"}}""").Value!;

        index.Shards.Select(shard => shard.Value).Should().Equal("model-1.safetensors", "model-2.safetensors");
        index.Tensors.Should().Be(3);
        index.TotalSize.Should().Be(123);
    }

    [TestCase("{}", "the index has no 'weight_map'")]
    [TestCase("[1]", "the index is not a JSON object")]
    [TestCase("""{"weight_map":[]}""", "'weight_map' is not a map of tensor to file")]
    [TestCase("""{"weight_map":{"a":1}}""", "'weight_map' is not a map of tensor to file")]
    [TestCase("""{"weight_map":{"a":"../../etc/passwd"}}""", "'weight_map' names '../../etc/passwd': it has a segment '..'")]
    [TestCase("""{"weight_map":{"a":"/etc/passwd"}}""", "'weight_map' names '/etc/passwd': it is absolute")]
    [TestCase("""{"weight_map":{"a":"x""", "not valid JSON: *")]
    public void A_broken_index_says_why(string text, string message) => Read(text).Problem!.Message.Should().Match(message);

    [TestCase("model.safetensors.index.json", true)]
    [TestCase("pytorch_model.bin.index.json", true)]
    [TestCase("index.json", false)]
    public void An_index_is_told_by_its_name(string name, bool isIndex) => WeightIndex.IsIndexName(name).Should().Be(isIndex);

    private static Parsed<WeightIndex> Read(string text) => WeightIndex.Read(new ArrayByteSource(Encoding.UTF8.GetBytes(text)));
}
