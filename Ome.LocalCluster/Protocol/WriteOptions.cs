using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Protocol;

/// <summary>How strictly unknown fields are taken.</summary>
public enum FieldValidation
{
    Ignore,
    Warn,
    Strict,
}

/// <summary>Query parameters that all writes share.</summary>
/// <param name="DryRun">Do everything but store.</param>
/// <param name="Manager">Field manager, from the query or the first word of the User-Agent.</param>
/// <param name="ManagerGiven">True when the query named it.</param>
/// <param name="FieldValidation">Default <see cref="FieldValidation.Warn"/>, as the server's own.</param>
/// <param name="Force">Server-side apply takes over fields of others.</param>
public sealed record WriteOptions(bool DryRun, string Manager, bool ManagerGiven, FieldValidation FieldValidation, bool Force)
{
    /// <summary>For the server's own writes.</summary>
    public static WriteOptions Internal { get; } = new(false, "ome-local-cluster", true, FieldValidation.Ignore, false);

    /// <summary>Reads the query parameters.</summary>
    /// <exception cref="ApiException">400 for a value that is not offered.</exception>
    public static WriteOptions Read(IReadOnlyDictionary<string, string> query, string userAgent)
    {
        var manager = query.GetValueOrDefault("fieldManager", "");
        return new WriteOptions(
            IsDryRun(query.GetValueOrDefault("dryRun", "")),
            manager.Length > 0 ? manager : DefaultManager(userAgent),
            manager.Length > 0,
            query.GetValueOrDefault("fieldValidation", "") switch
            {
                "" or "Warn" => FieldValidation.Warn,
                "Strict" => FieldValidation.Strict,
                "Ignore" => FieldValidation.Ignore,
                var other => throw ApiException.BadRequest($"fieldValidation: Unsupported value: \"{other}\": supported values: \"Ignore\", \"Strict\", \"Warn\""),
            },
            query.GetValueOrDefault("force", "") is "true" or "1");
    }

    private static bool IsDryRun(string value) => value switch
    {
        "" => false,
        "All" => true,
        _ => throw ApiException.BadRequest($"dryRun: Unsupported value: \"{value}\": supported values: \"All\""),
    };

    private static string DefaultManager(string userAgent)
    {
        var first = userAgent.Split('/', ' ')[0];
        return first.Length is > 0 and <= 128 ? first : "unknown";
    }
}

/// <summary><c>DeleteOptions</c> from query and body.</summary>
public sealed record DeleteOptions(bool DryRun, string Propagation, string? Uid, string? ResourceVersion)
{
    public const string Background = "Background";
    public const string Foreground = "Foreground";
    public const string Orphan = "Orphan";

    /// <summary>For the server's own deletions.</summary>
    public static DeleteOptions Internal { get; } = new(false, Background, null, null);

    public static DeleteOptions Read(IReadOnlyDictionary<string, string> query, JsonObject? body)
    {
        var preconditions = body?.Map("preconditions");
        var propagation = body?.Text("propagationPolicy") ?? query.GetValueOrDefault("propagationPolicy");
        if (propagation is null && body?["orphanDependents"]?.GetValueKind() == JsonValueKind.True) propagation = Orphan;
        if (propagation is not (null or Background or Foreground or Orphan))
            throw ApiException.BadRequest($"propagationPolicy: Unsupported value: \"{propagation}\": supported values: \"Foreground\", \"Background\", \"Orphan\"");
        var dryRun = query.GetValueOrDefault("dryRun") == "All" || body?.Texts("dryRun").Contains("All") == true;
        return new DeleteOptions(dryRun, propagation ?? Background, preconditions?.Text("uid"), preconditions?.Text("resourceVersion"));
    }
}
