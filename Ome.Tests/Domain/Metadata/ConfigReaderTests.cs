using Ome.Shared.Domain.Metadata;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Metadata;

/// <summary>What reading a configuration promises beyond the rows of the contract, which are MetadataCaseTests.</summary>
public sealed class ConfigReaderTests
{
    private const string Llama = """
        {"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_size":4096,"num_hidden_layers":32,"num_attention_heads":32,
         "num_key_value_heads":8,"vocab_size":128256,"intermediate_size":14336,"max_position_embeddings":131072,"torch_dtype":"bfloat16","transformers_version":"4.42.3"}
        """;

    [Test]
    public void The_shallowest_config_wins_then_the_first_by_name() =>
        Read(new MemoryModelFiles()
            .With("z/y/config.json", """{"model_type":"deep"}""").With("b/config.json", """{"model_type":"second"}""").With("a/config.json", """{"model_type":"first"}"""))
            .ModelType.Should().Be("first");

    [TestCase("{", "not JSON")]
    [TestCase("[]", "not a JSON object")]
    [TestCase("""{"model_type":"llama\ud800"}""", "not Unicode text")]
    [TestCase("""{"hidden\udc00":1,"model_type":"llama"}""", "not Unicode text")]
    [TestCase("{}", "no model_type")]
    public void A_config_that_cannot_be_understood_says_why(string config, string reason) =>
        ConfigReader.Read(Config(config)).Reason.Should().Contain(reason);

    [Test]
    public void An_unreadable_config_says_why() =>
        ConfigReader.Read(Config(Llama).Unreadable("config.json")).Reason.Should().Contain("Input/output error");

    [Test]
    public void A_field_of_the_wrong_type_costs_only_itself()
    {
        var model = Read(Config("""{"model_type":"llama","hidden_size":"4096","max_position_embeddings":2048}"""));

        model.MaxTokens.Should().Be(2048);
        model.Notes.Should().ContainMatch("hidden_size is string*");
    }

    private static MemoryModelFiles Config(string json) => new MemoryModelFiles().With("config.json", json);

    private static ModelMetadata Read(MemoryModelFiles files)
    {
        var result = ConfigReader.Read(files);
        result.Reason.Should().BeNull();
        return result.Metadata!;
    }
}
