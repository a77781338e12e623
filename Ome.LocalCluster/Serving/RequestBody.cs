using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Protocol;

namespace Ome.LocalCluster.Serving;

/// <summary>Reads JSON and YAML bodies, within the limit kube-apiserver has.</summary>
internal static class RequestBody
{
    public const int Limit = 3 * 1024 * 1024;

    private const string Accepted = "application/json, application/yaml";

    public static async Task<JsonObject> ReadObjectAsync(ApiRequest request) =>
        await ReadAsync(request) as JsonObject ?? throw ApiException.BadRequest("the body must be an object");

    /// <summary>Null for an empty body.</summary>
    public static async Task<JsonObject?> ReadOptionalAsync(ApiRequest request)
    {
        var node = await ReadAsync(request);
        return node is null or JsonObject ? (JsonObject?)node : throw ApiException.BadRequest("the body must be an object");
    }

    public static async Task<JsonNode?> ReadAsync(ApiRequest request)
    {
        var type = (request.Http.Request.ContentType ?? "").Split(';')[0].Trim();
        var bytes = await ReadBytesAsync(request);
        if (bytes.Length == 0) return null;
        return type switch
        {
            "" or "application/json" or "application/json-patch+json" or "application/merge-patch+json" or "application/strategic-merge-patch+json" or "*/*" => Json(bytes),
            ProtobufBody.MediaType => ProtobufBody.Parse(bytes),
            "application/yaml" or "text/yaml" or "application/x-yaml" => YamlBody.Parse(bytes),
            "application/apply-patch+yaml" => bytes.AsSpan().TrimStart(" \t\r\n"u8) is [(byte)'{', ..] ? Json(bytes) : YamlBody.Parse(bytes),
            _ => throw ApiException.UnsupportedMediaType(type, Accepted),
        };
    }

    private static JsonNode? Json(byte[] bytes)
    {
        try
        {
            return JsonText.Parse(bytes);
        }
        catch (JsonException e)
        {
            throw ApiException.BadRequest($"the object provided is unrecognized: the body is not valid JSON: {e.Message}");
        }
    }

    private static async Task<byte[]> ReadBytesAsync(ApiRequest request)
    {
        if (request.Http.Request.ContentLength > Limit) throw ApiException.TooLarge(Limit);
        var reader = request.Http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(request.Cancelled);
            if (read.Buffer.Length > Limit) throw ApiException.TooLarge(Limit);
            if (read.IsCompleted)
            {
                var bytes = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return bytes;
            }
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
