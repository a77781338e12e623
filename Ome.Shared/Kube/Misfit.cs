using System.Text.Json;

namespace Ome.Shared.Kube;

/// <summary>An object that is there and cannot be read as one of its kind: an old or pruned CRD lets in what ours would not.</summary>
/// <param name="Object">Which; its name is empty when not even that can be read.</param>
/// <param name="ResourceVersion">Its version; empty when it cannot be read.</param>
/// <param name="Problem">What is wrong, for people.</param>
public sealed record Misfit(ObjectIdentity Object, string ResourceVersion, string Problem)
{
    /// <summary>What can be told of an object all the same.</summary>
    public static Misfit Of(JsonElement resource, Exception why)
    {
        var metadata = resource.ValueKind == JsonValueKind.Object && resource.TryGetProperty("metadata", out var found) ? found : default;
        return new(new(new(Text("namespace"), Text("name")), Text("uid")), Text("resourceVersion"), ProblemOf(why));

        string Text(string member) =>
            metadata.ValueKind == JsonValueKind.Object && metadata.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
    }

    /// <summary>True for what reading an object, or picking what is kept of it, throws when the object is not as it should be.</summary>
    public static bool IsCause(Exception error) =>
        error is JsonException or NotSupportedException or FormatException or InvalidOperationException or ArgumentException or NullReferenceException or KeyNotFoundException or OverflowException;

    /// <summary>The member, when it is known: what it holds may be long.</summary>
    public static string ProblemOf(Exception why) => why is JsonException { Path: { } path } ? $"{path} is not of its type" : $"{why.GetType().Name}: {why.Message}";
}

/// <summary>Told that an object cannot be read (true), and that it can be again or is gone (false). Must not block or throw.</summary>
public delegate void MisfitHandler(ObjectName name, bool isMisfit);
