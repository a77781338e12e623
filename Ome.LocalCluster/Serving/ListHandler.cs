using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Storage;
using Ome.LocalCluster.Tables;

namespace Ome.LocalCluster.Serving;

/// <summary>GET of a collection: a consistent snapshot, in pages when a limit is given.</summary>
internal sealed class ListHandler(ObjectStore store, TimeProvider clock)
{
    public async Task HandleAsync(ApiRequest request, ApiResource resource, RequestPath path)
    {
        var query = ListQuery.Read(request, resource, path);
        var token = ContinueToken.Read(request.Parameter("continue"));
        var snapshot = Snapshot(request, resource, token);
        var limit = int.TryParse(request.Parameter("limit"), out var given) && given > 0 ? given : int.MaxValue;
        var page = new List<StoredObject>();
        var left = 0L;
        foreach (var item in snapshot.Objects.Values)
        {
            if ((token is not null && item.Key <= token.After) || !query.Matches(item)) continue;
            if (page.Count < limit) page.Add(item);
            else left++;
        }
        var metadata = new JsonObject { ["resourceVersion"] = Revisions.Format(snapshot.Revision) };
        if (left > 0)
        {
            metadata["continue"] = new ContinueToken(snapshot.Revision, page[^1].Key).ToString();
            if (!query.Selects) metadata["remainingItemCount"] = left;
        }
        if (request.Accepts.Table)
            await request.JsonAsync(TableRenderer.Render(resource.Columns, page.Select(resource.Read), metadata, request.Parameter("includeObject"), clock.GetUtcNow()));
        else await request.JsonAsync(Body(resource, metadata, page));
    }

    private ListSnapshot Snapshot(ApiRequest request, ApiResource resource, ContinueToken? token)
    {
        var version = request.Parameter("resourceVersion");
        var match = request.Parameter("resourceVersionMatch");
        if (token is not null)
        {
            if (version is not ("" or "0")) throw ApiException.BadRequest("specifying resource version is not allowed when using continue");
            return store.ListAt(resource.Collection, token.Revision) ?? throw ApiException.Expired(
                "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.");
        }
        if (match is not ("" or "Exact" or "NotOlderThan"))
            throw ApiException.BadRequest($"resourceVersionMatch: Unsupported value: \"{match}\": supported values: \"Exact\", \"NotOlderThan\"");
        if (match.Length > 0 && version.Length == 0) throw ApiException.BadRequest("resourceVersionMatch is forbidden unless resourceVersion is provided");
        if (match == "Exact" && version == "0") throw ApiException.BadRequest("resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"");
        if (version is "" or "0") return store.List(resource.Collection);
        if (!Revisions.TryParse(version, out var revision)) throw ApiException.BadRequest($"resourceVersion: Invalid value: \"{version}\"");
        if (revision > store.Revision) throw ApiException.FutureRevision(revision, store.Revision);
        // A limit without match means an exact read, as it did before resourceVersionMatch existed.
        if (match != "Exact" && !(match.Length == 0 && request.Parameter("limit").Length > 0)) return store.List(resource.Collection);
        return store.ListAt(resource.Collection, revision) ?? throw ApiException.Expired($"The resourceVersion for the provided list is too old: {revision}");
    }

    private static byte[] Body(ApiResource resource, JsonObject metadata, List<StoredObject> items)
    {
        var body = new ArrayBufferWriter<byte>(1024);
        body.Write(Encoding.UTF8.GetBytes($"{{\"kind\":\"{resource.ListKind}\",\"apiVersion\":\"{resource.GroupVersion}\",\"metadata\":"));
        body.Write(JsonText.ToUtf8(metadata));
        body.Write(",\"items\":["u8);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0) body.Write(","u8);
            body.Write(resource.ReadJson(items[i]));
        }
        body.Write("]}"u8);
        return body.WrittenMemory.ToArray();
    }
}
