using k8s.Autorest;

namespace Ome.Agent.Publishing;

/// <summary>What went wrong with a call of the API server, for a log line: status and reason, never headers or tokens.</summary>
internal static class ApiError
{
    public static string Describe(Exception error) => error switch
    {
        HttpOperationException answered => $"HTTP {(int)answered.Response.StatusCode} {Shortened(answered.Response.Content)}",
        HttpRequestException unreachable => $"the API server cannot be reached ({unreachable.Message})",
        TaskCanceledException => "the API server did not answer in time",
        _ => $"{error.GetType().Name}: {error.Message}",
    };

    private static string Shortened(string? text) => text is null ? "" : text.Length <= 300 ? text : text[..300] + "…";
}
