using System.Text.Json.Nodes;
using Ome.LocalCluster.Protocol;

namespace Ome.LocalCluster.Serving;

/// <summary>Writing answers.</summary>
internal static class ApiResponses
{
    public static Task JsonAsync(this ApiRequest request, JsonNode tree, int code = 200, string contentType = "application/json") =>
        request.JsonAsync(JsonText.ToUtf8(tree), code, contentType);

    public static async Task JsonAsync(this ApiRequest request, ReadOnlyMemory<byte> json, int code = 200, string contentType = "application/json")
    {
        var response = request.Http.Response;
        response.StatusCode = code;
        response.ContentType = contentType;
        response.ContentLength = json.Length;
        await response.BodyWriter.WriteAsync(json, request.Cancelled);
    }

    public static async Task TextAsync(this ApiRequest request, string text, int code = 200)
    {
        request.Http.Response.StatusCode = code;
        request.Http.Response.ContentType = "text/plain; charset=utf-8";
        await request.Http.Response.WriteAsync(text, request.Cancelled);
    }

    public static void Warn(this ApiRequest request, IEnumerable<string> warnings)
    {
        foreach (var warning in warnings)
            request.Http.Response.Headers.Append("Warning", $"299 - \"{warning.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"");
    }

    public static async Task FailAsync(HttpContext http, ApiException failure)
    {
        http.Response.StatusCode = failure.Code;
        http.Response.ContentType = "application/json";
        if (failure.RetryAfterSeconds is { } seconds) http.Response.Headers.RetryAfter = $"{seconds}";
        if (failure.Code == 401) http.Response.Headers.WWWAuthenticate = "Bearer realm=\"ome-local-cluster\"";
        await http.Response.BodyWriter.WriteAsync(JsonText.ToUtf8(failure.ToStatus()), http.RequestAborted);
    }
}
