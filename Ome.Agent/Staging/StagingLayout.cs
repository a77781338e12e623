using System.Security.Cryptography;
using System.Text;
using Ome.Agent.Files;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Staging;

/// <summary>Where staging keeps things below the models root: path math, and the one guard that stands before every write and removal.</summary>
/// <param name="modelsRoot">Absolute, normalised; its own path may lead through links, that is the administrator's business.</param>
public sealed class StagingLayout(string modelsRoot)
{
    private const string RepairSuffix = "-repair";

    /// <summary>Absolute directory of all models.</summary>
    public string ModelsRoot { get; } = DestinationRule.Normalize(modelsRoot, out var reason) ?? throw new ArgumentException($"--models-root-dir '{modelsRoot}' {reason}", nameof(modelsRoot));

    private string State => Path.Combine(ModelsRoot, DestinationRule.StateDirectory);

    /// <summary>Side directories of all artifacts being staged.</summary>
    public string StagingRoot => Path.Combine(State, "staging");

    /// <summary>Where removed artifacts wait to be deleted.</summary>
    public string TrashRoot => Path.Combine(State, "trash");

    /// <summary>Where replaced damaged files are kept for a while.</summary>
    public string QuarantineRoot => Path.Combine(State, "quarantine");

    /// <summary>Side directory of one destination; a destination has at most one staging at a time.</summary>
    public string SideDirectory(string destination) => Path.Combine(StagingRoot, IdOf(destination));

    /// <summary>Side directory of one destination's repair, which goes on after a restart as a staging does.</summary>
    public string RepairDirectory(string destination) => SideDirectory(destination) + RepairSuffix;

    /// <summary>The <see cref="IdOf"/> of the destination that a side directory, of a staging or a repair, belongs to.</summary>
    public static string OwnerOf(string sideDirectory) =>
        Path.GetFileName(sideDirectory) is var name && name.EndsWith(RepairSuffix, StringComparison.Ordinal) ? name[..^RepairSuffix.Length] : name;

    /// <summary>Name of a destination below our own directories.</summary>
    public static string IdOf(string destination) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(destination)).AsSpan(0, 16));

    /// <summary>Final place of a file.</summary>
    public static string FileOf(string destination, ArtifactPath path) => destination + "/" + path.Value;

    /// <summary>
    /// Why a destination must not be written or removed: not strictly below the models root, in our own directory, or behind a link that could lead
    /// out of the root. Null when it is safe.
    /// </summary>
    /// <param name="disk">Looks at the components that exist.</param>
    /// <param name="destination">As resolved by <see cref="DestinationRule"/>.</param>
    /// <param name="mayBeLink">True when the last name itself may be a link: only for removing that link.</param>
    public StagingFailure? Refuse(StagingDisk disk, string destination, bool mayBeLink = false)
    {
        var path = DestinationRule.Normalize(destination, out var reason);
        if (path is null) return Refusal(destination, reason);
        if (path != destination) return Refusal(destination, "is not in normal form");
        if (path == ModelsRoot || !path.StartsWith(ModelsRoot + "/", StringComparison.Ordinal)) return Refusal(destination, $"is not a directory below {ModelsRoot}");
        var below = path[(ModelsRoot.Length + 1)..].Split('/');
        if (below[0] == DestinationRule.StateDirectory) return Refusal(destination, $"lies in {DestinationRule.StateDirectory}, which Ome keeps for itself");
        var current = ModelsRoot;
        for (var i = 0; i < below.Length; i++)
        {
            current += "/" + below[i];
            if (disk.Look(current) is not var (type, _, _)) return null;
            var isLast = i == below.Length - 1;
            if (type == FileType.Link && !(isLast && mayBeLink)) return Refusal(destination, $"leads through the link '{current}'");
            if (type != FileType.Directory && type != FileType.Link) return Refusal(destination, $"leads through '{current}', which is no directory");
        }

        return null;
    }

    /// <summary>The first of other models' destinations that equals, holds or lies in this one; null when it lies alone.</summary>
    public static string? FindOverlap(string destination, IEnumerable<string> others) => others.FirstOrDefault(other => DestinationRule.Overlap(destination, other));

    private static StagingFailure Refusal(string destination, string reason) =>
        new(StagingFailureReason.PathRefused, $"the model's directory '{destination}' {reason}: set spec.storage.path to a directory of its own below the models root");
}
