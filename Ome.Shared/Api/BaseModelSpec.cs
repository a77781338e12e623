using System.Text.Json.Nodes;
using KubeOps.Abstractions.Entities.Attributes;

namespace Ome.Shared.Api;

/// <summary>Spec of BaseModel and ClusterBaseModel, field for field as in OME (contract 1.3); only storage is required.</summary>
[Description("What the model is and where its files come from. Facts left unset are filled in from the model's own configuration files.")]
public sealed class BaseModelSpec
{
    [Description("File format; serving runtimes are matched against it. An empty name means unset.")]
    public NamedVersion? ModelFormat { get; set; }

    [Description("The model_type of the Hugging Face configuration, or diffusers.")]
    public string? ModelType { get; set; }

    [Description("Library the model was made for, for instance transformers or diffusers.")]
    public NamedVersion? ModelFramework { get; set; }

    [Description("First entry of architectures in the model's configuration, or the pipeline class.")]
    public string? ModelArchitecture { get; set; }

    [Description("Quantization of the weights; known values are fp8, fbgemm_fp8 and int4.")]
    public string? Quantization { get; set; }

    [Description("Number of parameters as people write it, for instance 8.03B.")]
    public string? ModelParameterSize { get; set; }

    [Description("What the model can do, for instance TEXT_TO_TEXT or EMBEDDING.")]
    [XListType(XListType.Atomic)]
    public List<string>? ModelCapabilities { get; set; }

    [Description("Which APIs serve the model, for instance OPENAI_V1_CHAT_COMPLETIONS.")]
    [XListType(XListType.Atomic)]
    public List<string>? ApiCapabilities { get; set; }

    [Description("Facts read from the model's configuration, in free form; written by the operator.")]
    [PreserveUnknownFields]
    public JsonObject? ModelConfiguration { get; set; }

    [Description("Where the files come from, where they go, and on which nodes.")]
    [Required]
    public ModelStorage Storage { get; set; } = new();

    [Description("Name for people.")]
    public string? DisplayName { get; set; }

    [Description("Version of the model.")]
    public string? Version { get; set; }

    [Description("True keeps inference services from using the model.")]
    public bool? Disabled { get; set; }

    [Description("Who made the model.")]
    public string? Vendor { get; set; }

    [Description("Cloud compartment the model belongs to.")]
    public string? CompartmentID { get; set; }

    [Description("How the model may be served, for instance On-demand or Dedicated.")]
    [XListType(XListType.Atomic)]
    public List<string>? ServingMode { get; set; }

    [Description("Context length in tokens.")]
    public int? MaxTokens { get; set; }

    [Description("Components of a diffusers pipeline.")]
    public DiffusionPipeline? DiffusionPipeline { get; set; }

    [Description("Further facts as pairs; type: Serving is what the filter for TensorRT-LLM files looks at.")]
    public Dictionary<string, string>? AdditionalMetadata { get; set; }
}

/// <summary>A format or framework with its version (contract 1.3).</summary>
public sealed class NamedVersion
{
    [Description("Name, for instance safetensors or transformers.")]
    [Required]
    public string Name { get; set; } = "";

    [Description("Version, for instance 4.42.3.")]
    public string? Version { get; set; }

    [Description("How a runtime's version is compared: Equal, GreaterThan or GreaterThanOrEqual.")]
    [DefaultValue("Equal")]
    public string? Operator { get; set; }

    [Description("Weight of this match when runtimes are ranked.")]
    [DefaultValue(1L)]
    public long? Weight { get; set; }
}

/// <summary>The parts of a diffusers pipeline (contract 1.5).</summary>
public sealed class DiffusionPipeline
{
    [Description("Class of the pipeline, for instance FluxPipeline.")]
    public string? ClassName { get; set; }

    [Description("The scheduler.")]
    public PipelineComponent? Scheduler { get; set; }

    [Description("The text encoder.")]
    public PipelineComponent? TextEncoder { get; set; }

    [Description("The tokenizer.")]
    public PipelineComponent? Tokenizer { get; set; }

    [Description("The transformer.")]
    public PipelineComponent? Transformer { get; set; }

    [Description("The variational autoencoder.")]
    public PipelineComponent? Vae { get; set; }

    [Description("Components beyond the usual ones, by name.")]
    [XMapType(XMapType.Atomic)]
    public Dictionary<string, PipelineComponent>? AdditionalComponents { get; set; }
}

/// <summary>One component of a diffusers pipeline (contract 1.5).</summary>
public sealed class PipelineComponent
{
    [Description("Library the component comes from.")]
    public string? Library { get; set; }

    [Description("Class of the component.")]
    public string? Type { get; set; }
}
