using Ome.Shared.Domain.Metadata;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Metadata;

/// <summary>Contract P03, P04, P09–P17.</summary>
public sealed class ConfigReaderTests
{
    private const string Llama = """
        {"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_size":4096,"num_hidden_layers":32,"num_attention_heads":32,
         "num_key_value_heads":8,"vocab_size":128256,"intermediate_size":14336,"max_position_embeddings":131072,"torch_dtype":"bfloat16","transformers_version":"4.42.3"}
        """;

    [Test]
    public void P04_a_llama_text_model_is_read_in_full()
    {
        var weights = MemoryModelFiles.Safetensors(("embed", [1000, 8]), ("norm", [8]));

        var model = Read(new MemoryModelFiles().With("config.json", Llama).With("model.safetensors", weights));

        model.Should().BeEquivalentTo(new
        {
            ModelType = "llama",
            ModelArchitecture = "LlamaForCausalLM",
            ModelParameterSize = "8.01K",
            MaxTokens = 131072,
            ModelFormat = new NamedVersion("safetensors", "1.0.0"),
            ModelFramework = new NamedVersion("transformers", "4.42.3"),
            Quantization = (string?)null,
            ModelCapabilities = new[] { "TEXT_TO_TEXT" },
            Configuration = new ModelConfiguration("llama", "LlamaForCausalLM", 131072, "8.01K", false, false, "4.42.3", "bfloat16", 16016),
        });
    }

    [TestCase("int4-awq", "int4")]
    [TestCase("FP8", "fp8")]
    [TestCase("fbgemm_fp8", "fp8")]
    [TestCase("gptq", null)]
    public void P03_quantization_comes_from_the_method(string method, string? quantization) =>
        Read(Config($$$"""{"model_type":"llama","quantization_config":{"quant_method":"{{{method}}}"}}""")).Quantization.Should().Be(quantization);

    [Test]
    public void P03_no_method_leaves_quantization_unset() => Read(Config(Llama)).Quantization.Should().BeNull();

    [TestCase("llama", 8192, 80, "70B")]
    [TestCase("llama", 16384, 126, "405B")]
    [TestCase("qwen3_moe", 4096, 94, "235B")]
    [TestCase("mixtral", 1, 1, "46.7B")]
    [TestCase("kimi_k2", 1, 1, "1.5T")]
    [TestCase("bert", 768, 12, "110M")]
    [TestCase("phi", 2048, 24, "0")]
    public void Weights_that_cannot_be_counted_fall_back_to_the_known_size(string type, int hidden, int layers, string size) =>
        Read(Config($$"""{"model_type":"{{type}}","hidden_size":{{hidden}},"num_hidden_layers":{{layers}}}""")).ModelParameterSize.Should().Be(size);

    [Test]
    public void P09_a_qwen3_with_a_similarity_function_is_an_embedding_model() =>
        Read(Config("""{"model_type":"qwen3","architectures":["Qwen3ForCausalLM"]}""")
            .With("config_sentence_transformers.json", """{"similarity_fn_name":"cosine"}""")).ModelCapabilities.Should().Equal("EMBEDDING");

    [Test]
    public void P10_a_pipeline_index_wins_over_a_config() =>
        Read(Config(Llama).With("model_index.json", """{"_class_name":"FluxPipeline"}""")).ModelType.Should().Be("diffusers");

    [Test]
    public void P11_a_config_in_a_usual_folder_is_found() =>
        Read(new MemoryModelFiles().With("safetensors/config.json", Llama)).ModelType.Should().Be("llama");

    [Test]
    public void The_shallowest_config_wins_then_the_first_by_name() =>
        Read(new MemoryModelFiles()
            .With("z/y/config.json", """{"model_type":"deep"}""").With("b/config.json", """{"model_type":"second"}""").With("a/config.json", """{"model_type":"first"}"""))
            .ModelType.Should().Be("first");

    [Test]
    public void P13_no_config_at_all_is_a_reason_not_a_failure()
    {
        var result = ConfigReader.Read(new MemoryModelFiles().With("readme.md", "hello"));

        result.Metadata.Should().BeNull();
        result.Reason.Should().Contain("config.json");
    }

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
    public void P14_bare_infinity_and_nan_are_read() =>
        Read(Config("""{"model_type":"odd","rope_theta": Infinity,"low":-Infinity,"x":[NaN,1],"text":"NaN, Infinity","max_position_embeddings":77}"""))
            .MaxTokens.Should().Be(77);

    [Test]
    public void A_field_of_the_wrong_type_costs_only_itself()
    {
        var model = Read(Config("""{"model_type":"llama","hidden_size":"4096","max_position_embeddings":2048}"""));

        model.MaxTokens.Should().Be(2048);
        model.Notes.Should().ContainMatch("hidden_size is string*");
    }

    [Test]
    public void P15_an_index_counts_the_shards_it_names()
    {
        var files = Config(Llama)
            .With("model.safetensors.index.json", """{"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}}""")
            .With("m-1.safetensors", MemoryModelFiles.Safetensors(("a", [100, 10])))
            .With("m-2.safetensors", MemoryModelFiles.Safetensors(("b", [200, 10])));

        Read(files).ModelParameterSize.Should().Be("3K");
    }

    [Test]
    public void P15_a_missing_shard_falls_back_to_the_known_size()
    {
        var files = Config("""{"model_type":"llama","hidden_size":8192,"num_hidden_layers":80}""")
            .With("model.safetensors.index.json", """{"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}}""")
            .With("m-1.safetensors", MemoryModelFiles.Safetensors(("a", [100, 10])));

        var model = Read(files);

        model.ModelParameterSize.Should().Be("70B");
        model.Notes.Should().ContainMatch("*m-2.safetensors*");
    }

    [Test]
    public void P16_a_scalar_is_skipped_and_a_zero_dimension_spoils_the_file()
    {
        Read(Config(Llama).With("m.safetensors", MemoryModelFiles.Safetensors(("scalar", []), ("w", [10, 10])))).ModelParameterSize.Should().Be("100");
        Read(Config("""{"model_type":"phi"}""").With("m.safetensors", MemoryModelFiles.Safetensors(("w", [10, 0])))).ModelParameterSize.Should().Be("0");
    }

    [TestCase(ulong.MaxValue)]
    [TestCase(200UL * 1024 * 1024)]
    public void P16_a_header_length_no_file_can_have_spoils_only_the_count(ulong claimed) =>
        Read(Config("""{"model_type":"phi"}""").With("m.safetensors", MemoryModelFiles.Raw("{}", 0, claimed))).ModelParameterSize.Should().Be("0");

    [Test]
    public void P17_components_are_read_in_every_form_and_unused_parts_are_skipped()
    {
        var pipeline = Read(new MemoryModelFiles().With("model_index.json", """
            {"_class_name":"StableDiffusionXLPipeline","_diffusers_version":"0.31.0","vae":["diffusers","AutoencoderKL"],"scheduler":["EulerDiscreteScheduler"],
             "unet":{"_class_name":"UNet2DConditionModel","_library":"diffusers"},"force_zeros":true,"image_encoder":[null,null],"safety_checker":["x","Y"]}
            """)).DiffusionPipeline!;

        pipeline.ClassName.Should().Be("StableDiffusionXLPipeline");
        pipeline.Vae.Should().Be(new DiffusionComponent("diffusers", "AutoencoderKL"));
        pipeline.Scheduler.Should().Be(new DiffusionComponent(null, "EulerDiscreteScheduler"));
        pipeline.Transformer.Should().Be(new DiffusionComponent("diffusers", "UNet2DConditionModel"));
        pipeline.AdditionalComponents.Should().ContainSingle().Which.Key.Should().Be("safety_checker");
    }

    [Test]
    public void A_pipeline_counts_its_parts()
    {
        var weights = MemoryModelFiles.Safetensors(("w", [10, 100]));
        var files = new MemoryModelFiles().With("model_index.json", """{"_class_name":"X","text_encoder":["t","T"],"unet":["d","U"],"vae":["d","V"]}""")
            .With("text_encoder/config.json", """{"max_position_embeddings":77,"torch_dtype":"float16"}""")
            .With("text_encoder/model.safetensors", weights).With("unet/m.safetensors", weights).With("vae/m.safetensors", weights);

        var model = Read(files);

        (model.ModelParameterSize, model.MaxTokens, model.Configuration.ModelSizeBytes).Should().Be(("3K", 77, 6000L));
        model.ModelFormat.Name.Should().Be("diffusers");
    }

    [Test]
    public void A_vision_language_model_takes_its_context_from_the_text_section()
    {
        var model = Read(Config("""{"model_type":"mllama","text_config":{"max_position_embeddings":131072,"hidden_size":4096,"num_hidden_layers":40,"torch_dtype":"bfloat16"},"vision_config":{}}"""));

        (model.MaxTokens, model.ModelParameterSize, model.Configuration.HasVision, model.Configuration.TorchDtype).Should().Be((131072, "11B", true, "bfloat16"));
    }

    private static MemoryModelFiles Config(string json) => new MemoryModelFiles().With("config.json", json);

    private static ModelMetadata Read(MemoryModelFiles files)
    {
        var result = ConfigReader.Read(files);
        result.Reason.Should().BeNull();
        return result.Metadata!;
    }
}
