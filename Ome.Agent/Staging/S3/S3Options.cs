using System.ComponentModel.DataAnnotations;
using Ome.Shared.Settings;

namespace Ome.Agent.Staging.S3;

/// <summary>Settings of the S3 source. Credentials: the Secret a model names (keys <c>accessKeyId</c>, <c>secretAccessKey</c>, <c>sessionToken</c>), else the SDK's own chain.</summary>
public sealed class S3Options
{
    /// <summary>Endpoint of a compatible store, addressed path style; env <c>AWS_ENDPOINT_URL_S3</c> or <c>AWS_ENDPOINT_URL</c>; null: AWS.</summary>
    public string? Endpoint { get; set; }

    /// <summary>Region when neither the model nor its address names one; env <c>AWS_REGION</c>.</summary>
    [Required]
    public string Region { get; set; } = "us-east-1";

    /// <summary>Namespace of the Secrets of cluster-scoped models: the agent's own (W9).</summary>
    [Required]
    public string AgentNamespace { get; set; } = Shared.Domain.OmeNames.DefaultNamespace;

    /// <summary>HEAD requests at once while listing. Default 8.</summary>
    [Range(1, 64)]
    public int HeadConcurrency { get; set; } = 8;

    /// <summary>Tries of one request beside the first; the SDK pauses between them. Default 4.</summary>
    [Range(0, 20)]
    public int Retries { get; set; } = 4;

    /// <summary>A Retry-After up to this is waited out; a longer one is reported and the model tried again then. Default 30 s.</summary>
    [DurationRange("0s", "10m")]
    public TimeSpan LongestWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Time for a request until its answer's headers. Default 30 s.</summary>
    [DurationRange("50ms", "10m")]
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Reads the environment's settings into <paramref name="options"/>; <paramref name="read"/> gives a variable's value or null.</summary>
    public static void ReadEnvironment(S3Options options, Func<string, string?> read)
    {
        options.Endpoint = Given("AWS_ENDPOINT_URL_S3") ?? Given("AWS_ENDPOINT_URL") ?? options.Endpoint;
        options.Region = Given("AWS_REGION") ?? Given("AWS_DEFAULT_REGION") ?? options.Region;

        string? Given(string name) => read(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;
    }
}
