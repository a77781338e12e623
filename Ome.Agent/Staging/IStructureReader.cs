using System.Collections.Immutable;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Staging;

/// <summary>Looks at the structure of files that no source vouches for. Reads little; nothing outside the directory or its boundary, no hang.</summary>
public interface IStructureReader
{
    /// <summary>What breaks its own format or names files that are not there: <c>StructureInvalid</c> and <c>IndexIncomplete</c> only.</summary>
    Task<ImmutableArray<FileFinding>> ReadAsync(string directory, CancellationToken cancellationToken);
}
