using System.Collections.Immutable;

namespace Ome.Shared.Domain.Metadata;

/// <summary>One tensor of a weight file.</summary>
/// <param name="Name">As the file has it.</param>
/// <param name="Type">The format's own name of the element type: <c>BF16</c>, <c>F8_E4M3</c>, <c>Q4_K</c>; <c>type 77</c> when we do not know it.</param>
/// <param name="Shape">Dimensions in the file's order; empty for a scalar.</param>
/// <param name="Offset">First byte, counted from the start of the file.</param>
/// <param name="Length">Bytes; for a GGUF type of unknown size, 0.</param>
public sealed record TensorInfo(string Name, string Type, ImmutableArray<long> Shape, long Offset, long Length)
{
    /// <summary>Number of elements; saturates instead of overflowing, since the shape may come from a hostile file.</summary>
    public long Elements
    {
        get
        {
            var product = UInt128.One;
            foreach (var dimension in Shape)
            {
                product *= (ulong)dimension;
                if (product > long.MaxValue) return Shape.Contains(0) ? 0 : long.MaxValue;
            }

            return (long)product;
        }
    }
}
