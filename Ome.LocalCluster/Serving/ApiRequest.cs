using Microsoft.Extensions.Primitives;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Security;

namespace Ome.LocalCluster.Serving;

/// <summary>One HTTP request: who, what, and how the answer is wanted.</summary>
internal sealed class ApiRequest(HttpContext http, Identity who)
{
    private Dictionary<string, string>? _query;

    public HttpContext Http => http;

    public Identity Who => who;

    public string Method => http.Request.Method;

    public string Path => http.Request.Path.Value ?? "/";

    /// <summary>Query parameters; the first value of each.</summary>
    public IReadOnlyDictionary<string, string> Query => _query ??= http.Request.Query.ToDictionary(p => p.Key, p => p.Value[0] ?? "", StringComparer.Ordinal);

    public string Parameter(string name) => Query.GetValueOrDefault(name, "");

    public bool Flag(string name) => Parameter(name) is "true" or "1";

    public WriteOptions WriteOptions => WriteOptions.Read(Query, http.Request.Headers.UserAgent.ToString());

    public CancellationToken Cancelled => http.RequestAborted;

    public AcceptedForm Accepts => field ??= AcceptedForm.Read(http.Request.Headers.Accept);
}

/// <summary>The form the client wants its answer in.</summary>
internal sealed record AcceptedForm(bool Table, string? DiscoveryVersion, bool ProtobufOnly)
{
    public static AcceptedForm Read(StringValues accept)
    {
        var json = accept.Count == 0;
        foreach (var entry in accept.SelectMany(line => (line ?? "").Split(',')))
        {
            var parts = entry.Split(';', StringSplitOptions.TrimEntries);
            if (parts[0] is not ("application/json" or "*/*" or "application/*" or "")) continue;
            var version = parts.FirstOrDefault(p => p.StartsWith("v=", StringComparison.Ordinal))?[2..];
            if (parts.Contains("as=Table") && version is "v1" or "v1beta1") return new AcceptedForm(true, null, false);
            if (parts.Contains("as=APIGroupDiscoveryList") && version is "v2" or "v2beta1") return new AcceptedForm(false, version, false);
            json |= !parts.Any(p => p.StartsWith("as=", StringComparison.Ordinal));
        }
        return new AcceptedForm(false, null, !json);
    }
}
