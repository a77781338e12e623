using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Schemas;

namespace Ome.LocalCluster.Serving;

/// <summary><c>/openapi/v2</c> and <c>/openapi/v3</c>, built from what is served now.</summary>
internal sealed class OpenApiHandler(KindRegistry kinds)
{
    /// <summary>Answers an OpenAPI path; false when the path is none.</summary>
    public async Task<bool> TryHandleAsync(ApiRequest request)
    {
        var path = request.Path.Trim('/');
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
