using System.ComponentModel.DataAnnotations;

namespace Ome.Agent.Staging;

/// <summary>Settings of the Hugging Face source.</summary>
public sealed class HuggingFaceOptions
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

    /// <summary>Tries of one request beside the first. Default 4.</summary>
    [Range(0, 20)]
    public int Retries { get; set; } = 4;

    /// <summary>Pause before the first retry, doubling, with jitter. Default 500 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>A Retry-After up to this is waited out; a longer one is reported and the model tried again then. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan LongestWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Time for a request until its answer's headers. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:10:00")]
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Reads the environment's settings; <paramref name="read"/> gives a variable's value or null.</summary>
    public static HuggingFaceOptions FromEnvironment(Func<string, string?> read)
    {
        var endpoint = Given(read("ENDPOINT")) ?? Given(read("HF_ENDPOINT")) ?? DefaultEndpoint;
        return new HuggingFaceOptions { Endpoint = endpoint, Token = Secret.From(read("HF_TOKEN")) };
    }

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim().TrimEnd('/');
}
