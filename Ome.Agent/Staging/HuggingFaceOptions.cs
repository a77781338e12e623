using System.ComponentModel.DataAnnotations;

namespace Ome.Agent.Staging;

/// <summary>Settings of the Hugging Face source.</summary>
public sealed class HuggingFaceOptions : SourceHttpOptions
{
    /// <summary>The hub when nothing else is configured.</summary>
    public const string DefaultEndpoint = "https://huggingface.co";

    /// <summary>Base address of the hub; env <c>ENDPOINT</c> as OME reads it, else <c>HF_ENDPOINT</c> as everybody else does (contract 4.11).</summary>
    [Required]
    public string Endpoint { get; set; } = DefaultEndpoint;

    /// <summary>Token for models that name none; env <c>HF_TOKEN</c>.</summary>
    public Secret? Token { get; set; }

    /// <summary>Namespace of the Secrets of cluster-scoped models: the agent's own (W9).</summary>
    [Required]
    public string AgentNamespace { get; set; } = Shared.Domain.OmeNames.DefaultNamespace;

    /// <summary>Reads the environment's settings; <paramref name="read"/> gives a variable's value or null.</summary>
    public static HuggingFaceOptions FromEnvironment(Func<string, string?> read)
    {
        var endpoint = Given(read("ENDPOINT")) ?? Given(read("HF_ENDPOINT")) ?? DefaultEndpoint;
        return new HuggingFaceOptions { Endpoint = endpoint, Token = Secret.From(read("HF_TOKEN")) };
    }

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim().TrimEnd('/');
}
