using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Schemas;

namespace Ome.LocalCluster.Serving;

/// <summary><c>/openapi/v2</c> and <c>/openapi/v3</c>, built from what is served now.</summary>
internal sealed class OpenApiHandler(KindRegistry kinds)
{
    private const string ProtobufV2 = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

    /// <summary>A v2 document in protobuf that says nothing but <c>swagger: "2.0"</c>.</summary>
    private static readonly byte[] EmptyV2 = [0x0a, 3, (byte)'2', (byte)'.', (byte)'0'];

    /// <summary>Answers an OpenAPI path; false when the path is none.</summary>
    public async Task<bool> TryHandleAsync(ApiRequest request)
    {
        var path = request.Path.Trim('/');
        // kubectl falls back to v2, which it reads as protobuf only, for kinds v3 does not have: there is nothing about those in v2 either.
        if (path == "openapi/v2" && request.Accepts.ProtobufOnly && request.Http.Request.Headers.Accept.ToString().Contains(ProtobufV2, StringComparison.Ordinal))
        {
            await request.JsonAsync(EmptyV2, contentType: ProtobufV2.Replace('@', '.'));
            return true;
        }
        JsonObject? answer = path switch
        {
            "openapi/v2" => OpenApiDocuments.BuildV2(Kinds()),
            "openapi/v3" => OpenApiDocuments.BuildV3Index(Kinds()),
            _ when path.StartsWith("openapi/v3/", StringComparison.Ordinal) => OpenApiDocuments.BuildV3(path["openapi/v3/".Length..], Kinds()),
            _ => null,
        };
        if (answer is null) return false;
        await request.JsonAsync(answer);
        return true;
    }

    private List<OpenApiKind> Kinds() =>
        [.. kinds.All.Select(r => new OpenApiKind(r.Group, r.Version, r.Kind, r.Plural, r.Namespaced, [.. r.Subresources], r.Schema))];
}
