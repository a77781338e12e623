using System.Text;
using Ome.Agent.Files;

namespace Ome.Agent.Verification.Reading.Linux;

/// <summary>How a resolution ended.</summary>
internal enum ResolutionKind
{
    /// <summary>A handle on something that is not a link.</summary>
    Found,

    /// <summary>Nothing has that name.</summary>
    Missing,

    /// <summary>A link that dangles, leaves the boundary or loops.</summary>
    BadLink,

    /// <summary>The kernel refused, with an errno.</summary>
    Failed,
}

/// <summary>Where a path led.</summary>
/// <param name="Kind">How it ended.</param>
/// <param name="Descriptor">When found: an O_PATH handle, the caller's to close.</param>
/// <param name="Stat">When found.</param>
/// <param name="Names">When found: real names from the boundary to it, no link among them; null when no link was met.</param>
/// <param name="LinkText">Text of the link that the path itself is; null when it is none.</param>
/// <param name="Problem">Of a bad link.</param>
/// <param name="Error">errno of a failure.</param>
internal readonly record struct Resolution(
    ResolutionKind Kind, int Descriptor, FileStat Stat, string[]? Names, string? LinkText, string? Problem, int Error);

/// <summary>
/// Follows links by our own rule, never the kernel's: the text of each link is read, spliced into the path as names, and the new path
/// is opened again from the boundary with no link allowed. A path that climbs above the boundary is refused before anything is opened.
/// </summary>
internal static class PathResolver
{
    /// <summary>As many links as Linux itself follows.</summary>
    private const int MaxLinks = 40;

    private const int MaxLinkBytes = 4096;

    /// <summary>Resolves names below the artifact's directory.</summary>
    public static Resolution ResolveBelow(ISystemCalls calls, ArtifactRoot root, string path)
    {
        using var lease = root.Lease();
        var direct = Look(calls, lease.Descriptor, path);
        if (direct.Kind != ResolutionKind.BadLink) return direct;
        return ResolveFromBoundary(calls, root, [.. root.Prefix, .. path.Split('/')]);
    }

    /// <summary>Resolves names below the boundary.</summary>
    public static Resolution ResolveFromBoundary(ISystemCalls calls, ArtifactRoot root, string[] names)
    {
        using var lease = root.LeaseBoundary();
        string? linkText = null;
        for (var links = 0; links <= MaxLinks; links++)
        {
            var step = Look(calls, lease.Descriptor, string.Join('/', names));
            switch (step)
            {
                case { Kind: ResolutionKind.Found or ResolutionKind.Failed }:
                    return step with { Names = names, LinkText = linkText };
                case { Kind: ResolutionKind.Missing }:
                    return linkText is null ? step : step with { Kind = ResolutionKind.BadLink, LinkText = linkText, Problem = "its target does not exist" };
            }

            // A link is the last name (its text is known), or one on the way (to be found).
            var at = names.Length - 1;
            var text = step.LinkText;
            if (text is null)
            {
                (at, text, var failure) = FindLink(calls, lease.Descriptor, names);
                if (failure is { } failed) return failed with { LinkText = linkText };
            }
            else
            {
                linkText ??= text;
            }

            if (Splice(root.BoundaryPath, names.AsSpan(0, at), text!, names.AsSpan(at + 1)) is not { } next)
                return step with { LinkText = linkText ?? text, Problem = "it leads out of the allowed root" };
            names = next;
        }

        return new Resolution(ResolutionKind.BadLink, -1, default, null, linkText, "it loops", Errno.ELOOP);
    }

    /// <summary>Replaces a link by its text: the names before it, those of the text, those after it; null when that climbs above the boundary.</summary>
    internal static string[]? Splice(string boundary, ReadOnlySpan<string> before, string text, ReadOnlySpan<string> after)
    {
        var names = new List<string>();
        if (text.StartsWith('/'))
        {
            if (text != boundary && !text.StartsWith(boundary == "/" ? boundary : boundary + '/', StringComparison.Ordinal)) return null;
            text = text[boundary.Length..];
        }
        else
        {
            names.AddRange(before);
        }

        foreach (var name in text.Split('/'))
        {
            if (name is "" or ".") continue;
            if (name != "..") names.Add(name);
            else if (names.Count == 0) return null;
            else names.RemoveAt(names.Count - 1);
        }

        names.AddRange(after);
        return names.Count == 0 ? null : [.. names];
    }

    /// <summary>One look without following anything: BadLink means "a link is there", its text given when it is the last name.</summary>
    private static Resolution Look(ISystemCalls calls, int directory, string path)
    {
        var handle = calls.OpenHandle(directory, path);
        if (handle < 0)
        {
            var kind = -handle switch
            {
                Errno.ENOENT or Errno.ENOTDIR => ResolutionKind.Missing,
                Errno.ELOOP => ResolutionKind.BadLink,
                _ => ResolutionKind.Failed,
            };
            return new Resolution(kind, -1, default, null, null, null, -handle);
        }

        var result = calls.Stat(handle, out var stat);
        if (result >= 0 && stat.Type != FileType.Link) return new Resolution(ResolutionKind.Found, handle, stat, null, null, null, 0);
        var text = result >= 0 ? ReadText(calls, handle, out result) : null;
        calls.Close(handle);
        return new Resolution(result < 0 ? ResolutionKind.Failed : ResolutionKind.BadLink, -1, stat, null, text, null, Math.Max(0, -result));
    }

    private static string? ReadText(ISystemCalls calls, int handle, out int result)
    {
        Span<byte> buffer = stackalloc byte[MaxLinkBytes];
        result = calls.ReadLink(handle, buffer);
        return result < 0 ? null : Encoding.UTF8.GetString(buffer[..result]);
    }

    /// <summary>The first name on the way that is a link.</summary>
    private static (int At, string? Text, Resolution? Failure) FindLink(ISystemCalls calls, int directory, string[] names)
    {
        for (var at = 0; at < names.Length; at++)
        {
            var look = Look(calls, directory, string.Join('/', names.AsSpan(0, at + 1)!));
            if (look.Kind == ResolutionKind.Found) calls.Close(look.Descriptor);
            else if (look is { Kind: ResolutionKind.BadLink, LinkText: not null }) return (at, look.LinkText, null);
            else return (at, null, look.Kind == ResolutionKind.BadLink ? look with { Kind = ResolutionKind.Failed, Error = Errno.EAGAIN } : look);
        }

        // It was a link a moment ago and is none now.
        return (0, null, new Resolution(ResolutionKind.Failed, -1, default, null, null, null, Errno.EAGAIN));
    }
}
