using System.Text.Json;
using k8s.Autorest;

namespace Ome.Agent.Publishing;

/// <summary>What went wrong with a call of the API server, for a log line: status and reason, never headers or tokens.</summary>
internal static class ApiError
{
    public static string Describe(Exception error) => error switch
    {
        HttpOperationException answered => $"HTTP {(int)answered.Response.StatusCode} {Shortened(Said(answered.Response.Content))}",
        HttpRequestException unreachable => $"the API server cannot be reached ({unreachable.Message})",
        TaskCanceledException => "the API server did not answer in time",
        _ => $"{error.GetType().Name}: {error.Message}",
    };

    /// <summary>The server's own sentence, which names verb, resource and group of a missing right; else all it sent.</summary>
    private static string? Said(string? content)
    {
        if (content is not ['{', ..]) return content;
        try
        {
            using var status = JsonDocument.Parse(content);
            return status.RootElement.TryGetProperty("message", out var message) && message.ValueKind == JsonValueKind.String ? message.GetString() : content;
        }
        catch (JsonException)
        {
            return content;
        }
    }

    private static string Shortened(string? text) => text is null ? "" : text.Length <= 300 ? text : text[..300] + "…";
}
