using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Storage;

namespace Ome.LocalCluster.Serving;

/// <summary>Which objects a list or watch is about.</summary>
internal sealed record ListQuery(string Namespace, LabelSelector Labels, FieldSelector Fields)
{
    public static ListQuery Read(ApiRequest request, ApiResource resource, RequestPath path)
    {
        var fields = request.Parameter("fieldSelector");
        if (path.Name.Length > 0) fields = $"metadata.name={path.Name}";
        return new ListQuery(path.Namespace, LabelSelector.Parse(request.Parameter("labelSelector")), FieldSelector.Parse(fields, resource.SelectableFields));
    }

    public bool Selects => !Labels.IsEverything || !Fields.IsEverything;

    public bool Matches(StoredObject item) =>
        (Namespace.Length == 0 || item.Key.Namespace == Namespace) && Labels.Matches(item.Labels) && Fields.Matches(item);
}

/// <summary>Where a paged list goes on: the revision of the first page and the last name seen.</summary>
internal sealed record ContinueToken(long Revision, ObjectKey After)
{
    public override string ToString() =>
        Base64Url.EncodeToString(JsonText.ToUtf8(new JsonObject { ["v"] = "meta.k8s.io/v1", ["rv"] = Revision, ["ns"] = After.Namespace, ["name"] = After.Name }));

    /// <summary>Reads the <c>continue</c> parameter; null when there is none.</summary>
    /// <exception cref="ApiException">400 for a token that is not ours.</exception>
    public static ContinueToken? Read(string text)
    {
        if (text.Length == 0) return null;
        try
        {
            var tree = JsonText.Parse(Base64Url.DecodeFromChars(text))!.AsObject();
            return new ContinueToken(tree.Integer("rv")!.Value, new ObjectKey(tree.Text("ns")!, tree.Text("name")!));
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException or NullReferenceException)
        {
            throw ApiException.BadRequest("continue key is not valid: it must be the value a previous list answered");
        }
    }
}
